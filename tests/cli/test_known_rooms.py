"""Commands find the rooms of their user from any folder, and speak to the one that is meant."""

import json
import os
import stat
from pathlib import Path

import pytest

from controlroom.cli import known_rooms
from controlroom.cli.address import address, data_folder
from controlroom.cli.errors import CommandFailed
from controlroom.cli.options import RoomOptions
from controlroom.host.data_folder import DataFolder
from rooms import Room, room, run_cli


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a user who knows no room yet, and who stands where none is."""
    monkeypatch.setenv("CONTROLROOM_ROOMS", str(tmp_path / "config" / "rooms.json"))
    monkeypatch.delenv("CONTROLROOM_DATA", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "config" / "rooms.json"


def started(folder: Path, port: int) -> Path:
    """What `up` leaves of a room in a data folder, and remembers."""
    folder.mkdir(parents=True)
    facts = {"url": f"http://127.0.0.1:{port}", "workspace_id": f"workspace-{port}", "api_key": f"key-{port}"}
    (folder / "ready.json").write_text(json.dumps(facts))
    known_rooms.remember(folder)
    return folder


def entered(host: str, *, ends: str = "2999-01-01T00:00:00+00:00") -> str | None:
    """What `login` remembers."""
    facts = {"url": f"https://{host}", "workspace_id": "theirs", "token": f"token-{host}", "expires_at": ends}
    return known_rooms.enter({**facts, "username": "ada"}, None)


def meant(**options: str) -> tuple[str, str, str]:
    """Where a command would call, and by what right."""
    found = address(RoomOptions(**options))
    return found.url, found.workspace, found.api_key


def test_the_room_started_last_is_found_from_anywhere(book, tmp_path):
    """Without a choice it is the one that `up` started last; a start again counts."""
    first, _ = started(tmp_path / "a", 1), started(tmp_path / "b", 2)
    assert meant() == ("http://127.0.0.1:2", "workspace-2", "key-2")

    assert known_rooms.remember(first) == "a"

    assert meant() == ("http://127.0.0.1:1", "workspace-1", "key-1")


def test_a_login_is_to_the_room_that_was_started_last_at_its_address(book, tmp_path):
    """Rooms of one port take turns: the one that rests keeps its name, and its credentials out of it."""
    started(tmp_path / "a", 8170)
    second = started(tmp_path / "b", 8170)
    (second / "ready.json").write_text(
        json.dumps({"url": "http://127.0.0.1:8170", "workspace_id": "b", "api_key": "k"})
    )
    session = {"token": "t", "expires_at": "2999-01-01T00:00:00+00:00", "username": "ada"}

    assert known_rooms.enter({"url": "http://127.0.0.1:8170", **session}, None) == "b"

    assert meant() == ("http://127.0.0.1:8170", "b", "t")


def test_a_room_has_one_folder_however_it_is_named(tmp_path):
    """`--data ../room` is told, and remembered, without the dots."""
    (tmp_path / "here").mkdir()

    assert DataFolder.take(tmp_path / "here" / ".." / "room").path == tmp_path / "room"


def test_a_folder_with_a_room_means_that_room(book, tmp_path):
    """Beside a data folder its room is meant, unless another one was chosen."""
    started(tmp_path / "here" / "controlroom-data", 1)
    started(tmp_path / "b", 2)
    assert meant()[0] == "http://127.0.0.1:1"

    assert known_rooms.use("b")
    assert meant()[0] == "http://127.0.0.1:2"
    assert known_rooms.book().rooms.keys() == {"here", "b"}, "a room is called as the folder that one keeps it in"


def test_starting_a_room_ends_an_earlier_choice(book, tmp_path):
    """Whoever starts a room here does not push to the one that was chosen last week."""
    entered("room.example")
    assert meant()[0] == "https://room.example"

    started(tmp_path / "here" / "controlroom-data", 1)

    assert meant()[0] == "http://127.0.0.1:1"


def test_options_and_variables_win(book, tmp_path, monkeypatch):
    """What is said at the call is taken; what is left open comes from the room that has that address, if any has."""
    started(tmp_path / "a", 1)
    data = started(tmp_path / "b", 2)
    entered("room.example")
    assert meant(url="http://127.0.0.1:1/") == ("http://127.0.0.1:1", "workspace-1", "key-1")
    assert meant(api_key="mine") == ("https://room.example", "theirs", "mine")
    with pytest.raises(CommandFailed, match="--workspace"):
        meant(url="http://elsewhere.example")

    monkeypatch.setenv("CONTROLROOM_DATA", str(data))
    assert meant()[0] == "http://127.0.0.1:2"


def test_an_address_without_a_scheme_is_found(book, tmp_path):
    """`--url HOST:PORT` means http, for what is known as for what is called."""
    started(tmp_path / "a", 1)
    started(tmp_path / "b", 2)
    assert meant(url="127.0.0.1:1") == ("http://127.0.0.1:1", "workspace-1", "key-1")


def test_programs_beside_a_room_find_its_folder(book, tmp_path, monkeypatch):
    """That of this folder, else the chosen one or the one started last; of a room elsewhere there is none."""
    assert data_folder() == Path("controlroom-data")
    first, second = started(tmp_path / "a", 1), started(tmp_path / "b", 2)
    assert data_folder() == second
    assert known_rooms.use("a")
    assert data_folder() == first
    entered("room.example")
    assert data_folder() == second
    started(tmp_path / "here" / "controlroom-data", 3)
    assert data_folder() == Path("controlroom-data")
    monkeypatch.setenv("CONTROLROOM_DATA", str(first))
    assert data_folder() is None, "the settings say it"


def test_a_session_that_has_ended_is_not_used(book, tmp_path):
    """After its end a room of this machine is opened by its key again, and any other one asks who one is."""
    data = started(tmp_path / "a", 1)
    name = known_rooms.enter(
        {"url": "http://127.0.0.1:1", "token": "session", "expires_at": "2999-01-01T00:00:00Z", "username": "ada"}, None
    )
    assert name == "a", "one room, one name"
    assert meant() == ("http://127.0.0.1:1", "workspace-1", "session")
    known_rooms.leave("session")
    assert meant() == ("http://127.0.0.1:1", "workspace-1", "key-1")
    assert "url" not in known_rooms.book().rooms["a"], "its address is what the data folder says"

    entered("room.example", ends="2001-01-01T00:00:00Z")
    with pytest.raises(CommandFailed, match="--api-key"):
        meant()
    assert data.exists()


def test_a_room_whose_folder_is_gone_is_forgotten(book, tmp_path):
    """No command is led to a room that was removed."""
    data = started(tmp_path / "a", 1)
    (data / "ready.json").unlink()

    assert known_rooms.book().rooms == {}
    with pytest.raises(CommandFailed, match="which room"):
        meant()


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"rooms": []}', '{"rooms": {"a": 1}, "used": 3}', "[" * 100_000, '{"rooms": {"a": {"data": 3}}}'],
)
def test_a_damaged_file_is_no_file(book, tmp_path, text):
    """Commands do without it, and the next start writes it anew."""
    book.parent.mkdir()
    book.write_text(text)
    assert known_rooms.book().rooms == {}

    started(tmp_path / "b", 2)

    assert known_rooms.book().rooms.keys() == {"b"}


def test_the_file_is_its_owners(book, tmp_path):
    """It holds tokens, so nobody else may read it; and of a room of this machine it holds no credential."""
    started(tmp_path / "a", 1)
    assert stat.S_IMODE(book.stat().st_mode) == 0o600
    assert "key-1" not in book.read_text()
    entered("room.example")
    assert stat.S_IMODE(book.stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_file_of_somebody_else_is_not_believed(book, tmp_path):
    """It could send our requests, and our keys with them, anywhere; it is left as it is, too."""
    entered("room.example")
    os.chown(book, 65534, -1)
    before = book.read_text()

    assert known_rooms.book().rooms == {}
    assert known_rooms.remember(started(tmp_path / "a", 1)) is None
    assert book.read_text() == before


def test_where_nothing_can_be_kept_nothing_is(tmp_path, monkeypatch):
    """A user without a folder for it starts rooms all the same."""
    (tmp_path / "file").touch()
    for place in ("", str(tmp_path / "file" / "rooms.json")):
        monkeypatch.setenv("CONTROLROOM_ROOMS", place)
        assert known_rooms.remember(tmp_path) is None
        assert known_rooms.book().rooms == {}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory):
    """Two rooms of one user, and the file that knows them."""
    folder = tmp_path_factory.mktemp("two")
    places = {"CONTROLROOM_ROOMS": str(folder / "rooms.json")}
    with (
        room("--no-worker", data=folder / "first", **places) as first,
        room("--no-worker", data=folder / "second", **places) as second,
    ):
        yield first, second, places


def test_up_login_rooms_and_use(two: tuple[Room, Room, dict[str, str]]):
    """The user's way: start two rooms, call them from elsewhere, choose one, log in to the other."""
    first, second, places = two
    assert "as first (`controlroom rooms`)" in first.log

    def workspace() -> str:
        return json.loads(run_cli("workspaces", "list", "--json", **places).stdout)[0]["id"]

    assert workspace() == second.facts["workspace_id"]
    assert run_cli("use", "first", **places).returncode == 0
    assert workspace() == first.facts["workspace_id"]
    listed = json.loads(run_cli("rooms", "--json", **places).stdout)
    assert {each["name"]: (each["used"], each["state"]) for each in listed} == {
        "first": (True, "running"),
        "second": (False, "running"),
    }

    done = run_cli("login", "--url", second.url, **places)  # without a name it is the first admin's
    assert done.returncode == 0, done.stderr
    token = done.stdout.strip()
    assert "as second" in done.stderr
    assert workspace() == second.facts["workspace_id"]
    made = run_cli("workspaces", "create", "Made by the session", **places)  # no API key may
    assert made.returncode == 0, made.stderr
    assert token in Path(places["CONTROLROOM_ROOMS"]).read_text()

    assert run_cli("logout", **places).returncode == 0
    assert token not in Path(places["CONTROLROOM_ROOMS"]).read_text()
    assert workspace() == second.facts["workspace_id"], "the room is still meant, by its key"

    unknown = run_cli("use", "third", **places)
    assert unknown.returncode == 1
    assert "first" in unknown.stderr
    assert run_cli("rooms", "forget", "second", **places).returncode == 0
    assert "second" not in run_cli("rooms", "list", **places).stdout
