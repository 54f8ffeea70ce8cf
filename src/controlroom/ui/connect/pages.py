"""API access: how programs connect, with code that is filled in, and a try that only reads."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from controlroom.engine.access import actions, key_uses
from controlroom.engine.access.key_uses import API_KEYS, UsedKey
from controlroom.engine.access.scope import within
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import EVERYTHING
from controlroom.errors import NotFound
from controlroom.ui.asking import Asking, Crumb, Permission, Shown
from controlroom.ui.connect.colours import coloured
from controlroom.ui.connect.ways import NAMED, WAYS, Facts, Way, changes
from controlroom.ui.permissions import tags_of
from controlroom.ui.pickers.known import PROCESSES
from controlroom.ui.pickers.picker import Named
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(at="connect", name="API access", path="/connect", icon="connect", needs=Permission.READ_API_KEYS)

LATELY: Final = timedelta(days=30)
MOST_KEYS: Final = 12
"""Keys on the page, those that were used last; the list has all."""


@page("/connect", needs=Permission.READ_API_KEYS)
async def show_connect(request: Asking) -> Shown:
    """Keys, and the ways to connect."""
    return await _show(request, dict(request.query_params))


@verb("/connect/try", may=Permission.READ_API_KEYS)
async def try_way(request: Asking) -> Shown:
    """Ask as the code of a way would, in so far as it reads, and show how it was answered; the page is the same."""
    fields = await request.fields()
    asked = {name: fields.text(name) for name in ("way", "key", "process")}
    return await _show(request, asked, is_tried=True)


async def _show(request: Asking, asked: dict[str, str], *, is_tried: bool = False) -> Shown:
    seen = request.scope_for(Permission.READ_API_KEYS)
    sought = asked.get("q", "").strip()[:200]
    keys = await key_uses.list_used_keys(
        request.db, seen, sought=sought, since=(datetime.now(UTC) - LATELY).date(), limit=MOST_KEYS
    )
    [total] = await pages.count_each(request.db, API_KEYS, within(seen), [EVERYTHING])
    offer = await PROCESSES.offered(request, asked.get("process", ""))
    way = NAMED.get(asked.get("way", ""), WAYS[0])
    key = _chosen_key(keys, asked.get("key", ""))
    process = await PROCESSES.one(request, asked.get("process", "")) or await PROCESSES.any(request)
    of = _facts(request, key, process)
    values: dict[str, Any] = {
        "keys": [(each, *tags_of(each.permissions)) for each in keys],
        "total": total.rows,
        "sought": sought,
        "ways": _groups(),
        "way": way,
        "key": key,
        "processes": offer,
        "process": process,
        "code": coloured(way.code(of), way.language),
        "changes": [each for each in changes(of) if way.vendor in {"", each.vendor}],
        "tried": await _tried(request, way, key, of) if is_tried else None,
        "can_write": request.actor.may(Permission.WRITE_API_KEYS, request.workspace),
        "can_reveal": request.actor.may(Permission.REVEAL, request.workspace),
    }
    return await request.show(
        "connect/connect.html", title="API access", at="connect", crumbs=[Crumb("API access")], **values
    )


def _chosen_key(keys: list[UsedKey], number: str) -> UsedKey | None:
    return next((each for each in keys if str(each.number) == number), next(iter(keys), None))


def _groups() -> list[tuple[str, list[Way]]]:
    names = dict.fromkeys(way.group for way in WAYS)
    return [(name, [way for way in WAYS if way.group == name]) for name in names]


def _facts(request: Asking, key: UsedKey | None, process: Named | None) -> Facts:
    return Facts(
        url=request.origin,
        workspace_id=str(request.workspace),
        account=request.here.organization.number,
        key=key.name if key else "",
        process=process.name if process else "PROCESS",
        process_id=str(process.id) if process else "PROCESS",
        process_number=process.number if process else 0,
        username=request.actor.name,
    )


async def _tried(request: Asking, way: Way, key: UsedKey | None, of: Facts) -> dict[str, Any]:
    """How the room answers who asks as the way's code does."""
    if way.tries is None:
        raise NotFound("This way has nothing to try.", code="WAY_UNKNOWN")
    path, scheme = way.tries(of)
    headers = {}
    if scheme:
        if key is None:
            raise NotFound("There is no key to try it with.", code="API_KEY_NOT_FOUND")
        value = await actions.try_api_key(*request.acting, key.id)
        headers["authorization"] = f"{scheme} {value}"
    answered = await request.around.itself.get(path, asked_by=request.scope, headers=headers)
    return {"answered": answered, "path": path, "with_key": bool(scheme)}
