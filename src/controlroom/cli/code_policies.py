"""`controlroom code-policies …`."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moments
from controlroom.cli.errors import Misused
from controlroom.cli.governing import governing
from controlroom.cli.lookup import find, find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.repository import find_node
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import show_list, show_one, tell

app = App(name="code-policies")

_Rules = Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)]
_LISTS = ("rules", "high", "critical")


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the code policies of the organization."""
    show_list(
        room,
        "/code-policies",
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("rules", lambda row: " ".join(row["rules"])),
            ("refuses", lambda row: row["refuses"]),
        ],
        empty="There is no code policy: every workspace has the usual one, which refuses nothing.",
    )


@app.command
def show(policy: str | None = None, /, *, folder: str | None = None, room: RoomOptions = HERE) -> None:
    """Show a code policy by name or id; without one, that which holds in the workspace.

    Parameters
    ----------
    folder
        Which holds in this folder, by path or id.
    """
    if policy is not None and folder is not None:
        raise Misused("name a policy or a folder, not both")
    with Client(address(room)) as client:
        place = "" if folder is None else f"/repository/{find_node(client, folder)}"
        found = client.get(f"{place}/code-policy") if policy is None else find(client, "code-policies", policy)
    times = {} if policy is None else moments(found, "created_at", "updated_at")
    show_one(room, found, found | times | {name: " ".join(found[name]) for name in _LISTS})


@app.command
def create(
    name: str,
    /,
    *,
    rule: _Rules = (),
    high: _Rules = (),
    critical: _Rules = (),
    refuses: Literal["low", "high", "critical"] | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Make a code policy and print its id.

    Parameters
    ----------
    name
        Name of the policy.
    rule
        A rule that is minded, by its code (S602) or by how several begin (S6); may be given several times.
    high
        Of these, what is high.
    critical
        Of these, what is critical.
    refuses
        From which severity on a package is not taken.
    """
    body = {"name": name, "rules": list(rule), "high": list(high), "critical": list(critical), "refuses": refuses}
    with governing(room) as client:
        made = client.post("/code-policies", body)
    tell(room, made, "id")


@app.command
def give(policy: str | None = None, /, *, folder: str | None = None, room: RoomOptions = HERE) -> None:
    """Give the workspace a code policy, by name or id; without one, the usual one, which refuses nothing.

    Parameters
    ----------
    policy
        Name or id.
    folder
        Give it to this folder of the workspace instead, by path or id: it holds below it until a nearer one.
        Without a policy, what is above the folder decides.
    """
    with Client(address(room)) as client:
        wanted = None if policy is None else find_id(client, "code-policies", policy)
        place = "" if folder is None else f"/repository/{find_node(client, folder)}"
        answer = client.post(f"{place}/code-policy", {"policy_id": wanted})
    tell(room, answer, "name")


@app.command
def delete(policy: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete a code policy that no workspace and no folder has.

    Parameters
    ----------
    policy
        Name or id.
    """
    with governing(room) as client:
        found = find(client, "code-policies", policy)
        confirmed(f"Delete the code policy {found['name']!r}?", yes=yes)
        answer = client.delete(f"/code-policies/{found['id']}")
    tell(room, answer)
