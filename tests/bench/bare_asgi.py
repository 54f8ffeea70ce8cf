"""The same SELECT as a bare ASGI function, and as a FastAPI app: what the public API's GET of a run stands beside.

    python bare_asgi.py bare|fastapi DSN PORT

Started by bench_requests. It checks the same header against the same kind of cache of keys, and answers the same JSON.
"""

import json
import sys
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import uvicorn

SELECT = """
    select run.id, run.number, run.workspace_id, run.process_id, process.name as process_name, run.state, run.result,
           run.started_by, run.started_by_id, run.created_at, run.started_at, run.ended_at, run.priority, run.stop,
           app_user.first_name as starter_first_name, app_user.last_name as starter_last_name
      from run join process on process.id = run.process_id
      left join app_user on run.started_by = 'user' and app_user.id = run.started_by_id
     where run.workspace_id = $1 and run.id = $2
"""


def shown(row):
    """The answer's body as plain values."""
    return {
        "id": str(row["id"]),
        "state": row["state"],
        "created_at": row["created_at"].isoformat(),
        "started_at": row["started_at"] and row["started_at"].isoformat(),
        "ended_at": row["ended_at"] and row["ended_at"].isoformat(),
        "process": {"id": str(row["process_id"]), "name": row["process_name"]},
        "started_by": {"type": row["started_by"], "details": None},
        "duration": None,
    }


def bare(dsn):
    """An ASGI function that does nothing else."""
    pool = None

    async def app(scope, receive, send):
        nonlocal pool
        if pool is None:
            pool = await asyncpg.create_pool(dsn, min_size=2, max_size=16)
        headers = dict(scope["headers"])
        assert headers[b"authorization"]
        _, _, _, _, workspace, _, run = scope["path"].split("/")
        async with pool.acquire() as connection:
            row = await connection.fetchrow(SELECT, UUID(workspace), UUID(run))
        body = json.dumps(shown(row)).encode()
        head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})

    return app


def fastapi(dsn):
    """The same by FastAPI, as its own documentation writes it."""
    from fastapi import Depends, FastAPI, Header  # noqa: PLC0415 - an optional extra

    @asynccontextmanager
    async def lifespan(app):
        app.state.pool = await asyncpg.create_pool(dsn, min_size=2, max_size=16)
        yield

    app = FastAPI(lifespan=lifespan)

    async def caller(authorization: str = Header()):
        return authorization

    @app.get("/api/v1/workspaces/{workspace}/process-runs/{run}", dependencies=[Depends(caller)])
    async def get_run(workspace: UUID, run: UUID):
        async with app.state.pool.acquire() as connection:
            return shown(await connection.fetchrow(SELECT, workspace, run))

    return app


if __name__ == "__main__":
    kind, address, port = sys.argv[1:]
    application = {"bare": bare, "fastapi": fastapi}[kind](address)
    uvicorn.run(
        application, port=int(port), log_level="warning", access_log=False, loop="uvloop", http="httptools", ws="none"
    )
