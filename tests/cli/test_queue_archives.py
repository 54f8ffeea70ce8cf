"""`controlroom queues export`, `import` and `archives`."""

import json


def test_queues_go_into_a_file_and_come_from_it(running, tmp_path):
    """With what waits in them; what is there already is passed over, or made beside it."""
    file = tmp_path / "mine.zip"
    running.cli("queues", "create", "parcels", "--schema", '{"type": "object"}')
    running.cli("items", "create", "--queue", "parcels", "-i", '{"to": "Oslo"}')

    assert running.cli("queues", "export", "parcels", "--items", "-o", file).stdout.strip() == str(file)
    assert running.cli("queues", "import", file).stdout == "0 made, 1 there already.\n"
    told = running.json("queues", "import", file, "--existing", "copy")

    assert (told["state"], told["made"], told["name"]) == ("completed", 1, "mine.zip")
    assert running.json("queues", "schema", "show", "parcels - Copy") == {"type": "object"}
    items = json.loads(running.cli("items", "list", "--queue", "parcels - Copy", "--json").stdout)
    assert len(items) == 1
    assert told["id"] in [each["id"] for each in running.json("queues", "archives")]


def test_what_is_no_archive_is_refused(running, tmp_path):
    """With the room's reason; who names no queue is told so."""
    (tmp_path / "no.zip").write_text("nothing")

    assert "no archive of queues" in running.cli("queues", "import", tmp_path / "no.zip", code=1).stderr
    assert "which queues" in running.cli("queues", "export", code=2).stderr
