"""`controlroom dbt tokens …`: with such a token, Airflow, Dagster, CI and all other programs ask."""

from contextlib import suppress
from typing import Annotated, Any

from cyclopts import App, Parameter

from controlroom.cli.calling import Client, Refused
from controlroom.cli.dbt.places import numbered
from controlroom.cli.display import moment, show_fields, show_json
from controlroom.cli.errors import CommandFailed
from controlroom.cli.governing import governing
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import show_rows, tell

app = App(name="tokens", help="Service tokens: create, list, disable, enable, delete.")

_ROLE = "dbt "
"""With what the names of roles begin that are permission sets."""


@app.command
def create(
    name: str,
    /,
    *,
    permission: Annotated[tuple[str, ...], Parameter(alias="-p", negative=(), show_default=False)],
    project: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    days: int | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Make a service token; print the account's id and the token, which nobody is shown again.

    Parameters
    ----------
    name
        What to call it.
    permission
        A permission set, for example job_admin, job_runner or metadata_only; may be given several times.
    project
        In which project alone, by id or name; may be given several times. Without: in all of the account.
    days
        For how many days; without, until it is deleted.
    """
    places: tuple[str | None, ...] = project or (None,)
    grants = [{"role": _role(each), "workspace": place} for each in permission for place in places]
    with governing(room) as client:
        try:
            made = client.post("/service-tokens", {"name": name, "grants": grants, "days": days})
        except Refused as refused:
            if refused.code == "ROLE_NOT_FOUND":
                words = ", ".join(permission)
                raise CommandFailed(f"there is no such permission set: {words}", hint=_known(client)) from refused
            raise
    told = _told(made) | {"token": made["value"]}
    if room.json:
        show_json(told)
    else:
        show_fields({"account id": told["account_id"], "token": told["token"]})


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the service tokens, with how often and when they were used."""
    with governing(room) as client:
        rows = [_told(each) for each in client.each("/service-tokens")]
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("permissions", lambda row: ", ".join(_said(each) for each in row["permission_grants"])),
            ("uses", lambda row: row["use_count"]),
            ("last used", lambda row: moment(row["last_used_at"])),
            ("disabled", lambda row: moment(row["disabled_at"])),
        ],
        empty="There are no service tokens yet.",
    )


@app.command
def disable(token: str, /, *, room: RoomOptions = HERE) -> None:
    """Let a token open nothing until it is enabled again.

    Parameters
    ----------
    token
        Name or id.
    """
    _switch(room, token, is_disabled=True)


@app.command
def enable(token: str, /, *, room: RoomOptions = HERE) -> None:
    """Let a disabled token open again what it did.

    Parameters
    ----------
    token
        Name or id.
    """
    _switch(room, token, is_disabled=False)


@app.command
def delete(token: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete a token; it opens nothing from then on.

    Parameters
    ----------
    token
        Name or id.
    """
    with governing(room) as client:
        found = _find(client, token)
        confirmed(f"Delete the service token {found['name']!r}?", yes=yes)
        answer = client.delete(f"/service-tokens/{found['id']}")
    tell(room, answer)


def _switch(room: RoomOptions, token: str, *, is_disabled: bool) -> None:
    with governing(room) as client:
        answer = client.post(f"/service-tokens/{_find(client, token)['id']}", {"is_disabled": is_disabled})
    tell(room, _told(answer))


def _find(client: Client, token: str) -> dict[str, Any]:
    return numbered(client, "service-tokens", token)


def _role(permission_set: str) -> str:
    """What the role is called that is a permission set."""
    return _ROLE + permission_set.lower().replace("-", "_").replace("_", " ")


def _known(client: Client) -> str:
    """Which permission sets and projects there are, as far as the caller may see them."""
    with suppress(Refused):
        names = [str(role["name"]) for role in client.each("/roles")]
        sets = sorted(name.removeprefix(_ROLE).replace(" ", "_") for name in names if name.startswith(_ROLE))
        return f"Permission sets: {', '.join(sets)}"
    return ""


def _told(token: dict[str, Any]) -> dict[str, Any]:
    """A token in the words of dbt's platform: its ids are numbers there."""
    return {
        "account_id": token["organization"]["number"],
        "id": token["number"],
        "name": token["name"],
        "permission_grants": [
            {
                "permission_set": each["role"].removeprefix(_ROLE).replace(" ", "_"),
                "project_id": each["workspace"] and each["workspace"]["number"],
            }
            for each in token["grants"]
        ],
        "use_count": token["use_count"],
        "last_used_at": token["last_used_at"],
        "created_at": token["created_at"],
        "expires_at": token["expires_at"],
        "disabled_at": token["disabled_at"],
    }


def _said(grant: dict[str, Any]) -> str:
    return str(grant["permission_set"]) + (f" of {grant['project_id']}" if grant["project_id"] else "")
