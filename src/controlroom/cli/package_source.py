"""`controlroom packages source …`: task packages that are fetched from git instead of uploaded."""

import sys
import time
from typing import Annotated, Any

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client, Refused
from controlroom.cli.display import moment, moments, show_fields, show_json
from controlroom.cli.errors import FAILED, CommandFailed, Misused
from controlroom.cli.lookup import find_id, is_id, package_called, required
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import changes
from controlroom.cli.verbs import delete_part, show_one, show_rows

app = App(name="source", help="Packages fetched from git: list, show, set, edit, fetch, delete.")

_Wait = Annotated[bool, Parameter(negative="--no-wait", show_default=False)]
_PART = "/source"
_TAKEN = "PACKAGE_NAME_TAKEN"
_REFS = ("branch", "tag", "commit")
_LONGEST_SECONDS = 11 * 60.0
"""What a fetch may take on the server, and a minute in which one comes to it."""
_PAUSE_SECONDS = 0.2


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the packages that are fetched from git, and how the last fetch of each went."""
    with Client(address(room)) as client:
        rows = list(client.each("/task-package-sources"))
        names = {} if room.json else {each["id"]: each["name"] for each in client.each("/task-packages")}
    show_rows(
        room,
        rows,
        [
            ("package", lambda row: names.get(row["package_id"], row["package_id"])),
            ("from", lambda row: row["url"]),
            ("of", _ref),
            ("fetched", lambda row: moment(row["fetched_at"])),
            ("commit", lambda row: (row["fetched_commit"] or "")[:12]),
            ("state", lambda row: "fetching" if row["fetching"] else "failed" if row["error"] else ""),
        ],
        empty="No package is fetched from git yet: controlroom packages source set NAME URL --branch main",
    )


@app.command
def show(package: str, /, *, room: RoomOptions = HERE) -> None:
    """Show where a package is fetched from, how the last fetch went, and the address of its push hook.

    Parameters
    ----------
    package
        Name or id.
    """
    with Client(address(room)) as client:
        found = _source(client, package, find_id(client, "task-packages", package))
    show_one(room, found, _readable(found))


@app.command(name="set")
def set_(
    package: str,
    url: str,
    /,
    *,
    branch: str | None = None,
    tag: str | None = None,
    commit: str | None = None,
    folder: str | None = None,
    secret: str | None = None,
    wait: _Wait = True,
    room: RoomOptions = HERE,
) -> int:
    """Fetch a package from git from now on, and print its push hook; succeeds only if the first fetch does.

    Parameters
    ----------
    package
        Name or id; a package of that name is made if there is none.
    url
        Address of the repository, https:// or ssh://.
    branch
        What is fetched: a branch, followed by every fetch.
    tag
        What is fetched: a tag.
    commit
        What is fetched: a commit, by its whole hash.
    folder
        Where the robot lies in the repository, if there are several in it; only that folder is fetched.
    secret
        Name of a secret of the vault: `password` or `token` (and `username`), or for ssh `private_key` and
        `known_hosts`.
    wait
        Wait until it has been fetched.
    """
    given = _named(branch, tag, commit)
    if len(given) != 1:
        raise Misused("what of the repository? Give one of --branch, --tag and --commit")
    with Client(address(room)) as client:
        body = {"url": url, "folder": folder, "secret": secret, **given}
        package_id = package if is_id(package) else package_called(client, package)
        if package_id is None:
            try:
                made = client.post("/task-packages", {"name": package, "source": body})
            except Refused as refused:
                package_id = package_called(client, package) if refused.code == _TAKEN else None
                if package_id is None:
                    raise
            else:
                return _follow(room, client, str(made["id"]), made["push_hook"], wait=wait)
        return _set(client, room, package_id, body, wait=wait)


@app.command
def edit(
    package: str,
    /,
    *,
    repository: str | None = None,
    branch: str | None = None,
    tag: str | None = None,
    commit: str | None = None,
    folder: str | None = None,
    secret: str | None = None,
    no_secret: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    new_hook: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    wait: _Wait = True,
    room: RoomOptions = HERE,
) -> int:
    """Change where a package is fetched from, and fetch it; what is not named stays, and so does the push hook.

    Parameters
    ----------
    package
        Name or id.
    repository
        The new address.
    branch
        What is fetched: a branch.
    tag
        What is fetched: a tag.
    commit
        What is fetched: a commit, by its whole hash.
    folder
        Where the robot lies in the repository; `.` if it has only one.
    secret
        Name of a secret of the vault.
    no_secret
        The repository asks for no secret any more.
    new_hook
        Give the push hook another secret, and print it.
    wait
        Wait until it has been fetched.
    """
    given = _named(branch, tag, commit)
    if len(given) > 1:
        raise Misused("give only one of --branch, --tag and --commit")
    if secret is not None and no_secret:
        raise Misused("give --secret or --no-secret, not both")
    asked = changes(
        "--repository, --branch, --tag, --commit, --folder, --secret, --no-secret or --new-hook",
        url=repository,
        folder=folder,
        secret=secret,
        ref=given or None,
        no_secret=no_secret or None,
        new_hook=new_hook or None,
    )
    with Client(address(room)) as client:
        package_id = find_id(client, "task-packages", package)
        now = _source(client, package, package_id)
        body = {
            "url": asked.get("url", now["url"]),
            "folder": asked.get("folder", now["folder"]),
            "secret": None if no_secret else asked.get("secret", now["secret"]),
            "keep_push_hook": not new_hook,
            **(given or {name: now[name] for name in _REFS}),
        }
        return _set(client, room, package_id, body, wait=wait)


@app.command
def fetch(package: str, /, *, wait: _Wait = True, room: RoomOptions = HERE) -> int:
    """Fetch a package again, and print the commit; a commit that is its latest version already makes no new one.

    Parameters
    ----------
    package
        Name or id.
    wait
        Wait until it has been fetched; succeeds only if that went well.
    """
    with Client(address(room)) as client:
        package_id = find_id(client, "task-packages", package)
        _source(client, package, package_id)
        found = client.post(f"/task-packages/{package_id}/fetch")
        if wait:
            found = _outcome(client, package_id)
    return _tell_outcome(room, found)


@app.command
def delete(package: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Fetch a package no more; its versions stay, and it can be pushed.

    Parameters
    ----------
    package
        Name or id.
    """
    delete_part(room, "task-packages", package, _PART, "Fetch {!r} from git no more?", yes=yes)


def _source(client: Client, package: str, package_id: str) -> dict[str, Any]:
    return required(
        client,
        _path(package_id),
        missing=f"the package {package!r} is uploaded, not fetched from git",
        hint="Let it be fetched: controlroom packages source set PACKAGE URL --branch main",
    )


def _set(client: Client, room: RoomOptions, package_id: str, body: dict[str, Any], *, wait: bool) -> int:
    """Set a source, and follow what comes of it."""
    made = client.post(_path(package_id), body)
    return _follow(room, client, package_id, made["push_hook"], wait=wait)


def _follow(room: RoomOptions, client: Client, package_id: str, hook: dict[str, Any], *, wait: bool) -> int:
    """Show the push hook if it has a new secret, and tell how the fetch goes."""
    if (
        "secret" in hook and not room.json
    ):  # Why before the fetch: the secret is told this once, and Ctrl-C may end the waiting
        show_fields({"package": package_id, "push hook": hook["url"], "its secret": hook["secret"]})
        sys.stdout.flush()
    found = _outcome(client, package_id) if wait else client.get(_path(package_id))
    return _tell_outcome(room, {**found, "push_hook": hook})


def _outcome(client: Client, package_id: str) -> dict[str, Any]:
    """The source once no fetch waits or goes on. Raises CommandFailed if that takes too long."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while True:
        found: dict[str, Any] = client.get(_path(package_id))
        if not found["fetching"]:
            return found
        if time.monotonic() >= deadline:
            raise CommandFailed("the fetch takes long", hint="Look again by `controlroom packages source show`.")
        time.sleep(_PAUSE_SECONDS)


def _tell_outcome(room: RoomOptions, found: dict[str, Any]) -> int:
    """Say what came of a fetch, or nothing while it goes on; the exit code is a failure if it failed."""
    is_failed = not found["fetching"] and found["error"] is not None
    if room.json:
        show_json(found)
    elif is_failed:
        raise CommandFailed(found["error"], hint="The version before it, if there is one, stays the latest.")
    elif not found["fetching"]:
        print(found["fetched_commit"])
    return FAILED if is_failed else 0


def _readable(found: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in found.items() if name not in {*_REFS, "push_hook"}}
    return {**shown, **moments(found, "fetched_at"), "of": _ref(found), "push_hook": found["push_hook"]["url"]}


def _ref(source: Any) -> str:
    """What of the repository is fetched."""
    return " ".join(f"{kind} {source[kind]}" for kind in _REFS if source[kind] is not None)


def _named(branch: str | None, tag: str | None, commit: str | None) -> dict[str, str]:
    """What of a repository was named."""
    given = zip(_REFS, (branch, tag, commit), strict=True)
    return {kind: name for kind, name in given if name is not None}


def _path(package_id: str) -> str:
    return f"/task-packages/{package_id}{_PART}"
