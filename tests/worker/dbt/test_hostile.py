"""Projects that reach for what is not theirs: macros, Python models, SQL, hooks, links, the network."""

import json
from pathlib import Path

import pytest
import sample_projects as projects
from dbt_rooms import dbt_room
from sandboxes import needs_sandbox

from controlroom.protocol import ErrorCode

pytestmark = [pytest.mark.timeout(300), pytest.mark.matrix, needs_sandbox]

SECRET = "s3cret-of-ada"
BASE = {"dbt_project.yml": projects.SHOP["dbt_project.yml"]}

LOOKS = """
import json, os, socket, sys

def tried(what):
    try:
        return what()
    except BaseException as error:
        return "refused: " + type(error).__name__

def connected(port):
    with socket.create_connection(("127.0.0.1", port), timeout=60):
        return "connected"

def loopback():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), timeout=60):
        return "works"

def model(dbt, session):
    dbt.config(materialized="table")
    found = {
        "uid": os.getuid(),
        "files": {path: tried(lambda: open(path).read()) for path in PATHS},
        "folders": {path: tried(lambda: os.listdir(path)) for path in FOLDERS},
        "variables": sorted(os.environ),
        "values": sorted(os.environ.values()),
        "processes": sorted(entry for entry in os.listdir("/proc") if entry.isdigit()),
        "loopback": tried(lambda: loopback()),
        "port": tried(lambda: connected(PORT)),
        "writes": {path: tried(lambda: open(path, "w").close()) for path in WRITES},
        "ran": [os.path.basename(part) for part in sys.argv[:2]],
    }
    with open("target/found.json", "w") as file:
        json.dump(found, file)
    return session.sql("select 1 as id")
"""


def looking(dbt, outside: Path) -> dict[str, str]:
    """A project whose Python model tells what it can reach."""
    folder = dbt.worker.folder
    said = {
        "PATHS": [str(outside / "host.txt"), str(folder / "worker.json"), "/etc/shadow", "/proc/1/environ"],
        "FOLDERS": [
            str(folder),
            str(folder / "runs"),
            str(folder / "databases"),
            "/home",
            "/robot-nest",
            "/robot-kept",
        ],
        "WRITES": ["/etc/x", "/usr/x", str(folder / "x"), str(outside / "x"), sys_prefix(dbt)],
        "PORT": dbt.room.port,
    }
    code = "\n".join(f"{name} = {json.dumps(value)}" for name, value in said.items()) + LOOKS
    return BASE | {"models/looks.py": code}


def sys_prefix(dbt) -> str:
    """A file in the environments that all workspaces share."""
    return str(next(Path(dbt.environments).glob("shares/*/environments/*/bin"), Path("/usr/bin")) / "evil")


def check(found: dict, *, network: bool) -> None:
    """Nothing of the machine, of others or of the worker is reached."""
    assert found["uid"] != 0
    assert all(str(answer).startswith("refused") or not answer for answer in found["files"].values()), found["files"]
    # Why these: what the sandbox itself shows of the worker's folder are the programs of spares, and no more
    programs = {"spare.py", "zygote.py", "_controlroom_dbt.py", "authorities.pem"}
    for path, answer in found["folders"].items():
        assert str(answer).startswith("refused") or set(answer) <= programs, (path, answer)
    # Why here: below a folder that a spare has in memory it may make its own of what it likes
    assert not [path for path in found["writes"] if Path(path).exists()]
    assert not any("TOKEN" in name or name.startswith(("CONTROLROOM", "RC_")) for name in found["variables"])
    assert not any("worker-token" in value or "robot-token" in value for value in found["values"])
    assert len(found["processes"]) <= 4
    assert (found["port"] == "connected") is network
    assert found["loopback"] == "works"


async def test_python_models_reach_nothing(dbt, tmp_path):
    """A first command, by a process of its own, and later ones, born of a zygote, see their own place only."""
    (tmp_path / "host.txt").write_text("HOST")
    files = looking(dbt, tmp_path)
    for _ in range(2):
        ran = await dbt.run(files, projects.plan("dbt run"))
        assert ran.finish.error is None, ran.attempt.text
        check(ran.json(3, "found.json"), network=True)
        async with dbt.worker.logged("zygote ready"):
            pass


async def test_no_network_where_it_is_off(environments, tmp_path):
    """Neither the machine's loopback nor the world nor other runs'; dbt works all the same, also from a zygote."""
    async with dbt_room(tmp_path / "walt", environments, dbt_network=False) as off:
        for number in range(2):
            ran = await off.run(looking(off, tmp_path), projects.plan("dbt run"))
            assert ran.finish.error is None, ran.attempt.text
            check(ran.json(3, "found.json"), network=False)
            async with off.worker.logged("spare=True" if number else "spare=False"):
                pass
            async with off.worker.logged("zygote ready"):
                pass


@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        ("select * from read_text('{path}/host.txt')", "HOST"),
        ("select * from glob('{path}/*')", "host.txt"),
        ("select * from read_text('{folder}/worker.json')", "token"),
        ("select * from read_csv('/etc/shadow')", "root:"),
    ],
)
async def test_sql_reads_no_file_of_the_machine(dbt, tmp_path, sql, kept):
    """DuckDB's functions find nothing, or fail."""
    (tmp_path / "host.txt").write_text("HOST")
    model = sql.format(path=tmp_path, folder=dbt.worker.folder)
    show = projects.plan(f'dbt show --inline "{model}"')

    ran = await dbt.run(BASE | {"models/a.sql": "select 1 as id"}, show)

    console = ran.console(3)
    assert "Running with dbt" in console
    assert kept not in console


HOOKS = {
    "copy": "copy (select 'evil') to '{path}/evil.txt'",
    "attach": "attach '{folder}/databases/x.duckdb' as x",
    "export": "export database '/etc/evil'",
}


@pytest.mark.parametrize("hook", HOOKS)
async def test_hooks_write_no_file_of_the_machine(dbt, tmp_path, hook):
    """The run fails, and nothing has come."""
    statement = HOOKS[hook].format(path=tmp_path, folder=dbt.worker.folder)
    files = BASE | {"models/a.sql": "select 1 as id"}
    files["dbt_project.yml"] += f'on-run-start: ["{statement}"]\n'

    ran = await dbt.run(files, projects.plan("dbt run"))

    assert ran.finish.error.code is ErrorCode.ROBOT_FAILED
    assert not (tmp_path / "evil.txt").exists()


ESCAPES = """
import os, subprocess, time

def model(dbt, session):
    dbt.config(materialized="table")
    os.rename("target", "moved")
    os.symlink("/", "target")
    os.rename("/robot/dbt/logs", "/robot/dbt/old")
    os.symlink("/etc", "/robot/dbt/logs")
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    return session.sql("select 1 as id")
"""


async def test_links_and_leftovers(dbt):
    """Links in place of folders are no way out; what a command left running does not run on."""
    ran = await dbt.run(BASE | {"models/a.py": ESCAPES}, projects.plan("dbt run"))

    assert ran.finish.error.code is ErrorCode.ROBOT_FAILED
    assert "behind a link" in "\n".join(ran.attempt.text)
    assert not ran.names(3)
    assert (await dbt.run(BASE | {"models/a.sql": "select 1 as a"}, projects.plan("dbt run"))).finish.error is None


async def test_the_projects_own_profiles_and_places_are_not_used(dbt):
    """Neither a profiles.yml in the project, nor folders named in its file."""
    files = BASE | {
        "models/a.sql": "select '{{ target.name }}' as a",
        "profiles.yml": "shop: {target: evil, outputs: {evil: {type: duckdb, path: '/tmp/evil.db'}}}",
    }
    files["dbt_project.yml"] += "target-path: ../../elsewhere\nlog-path: ../../logs\n"

    ran = await dbt.run(files, projects.plan("dbt run", "dbt run --profiles-dir ."))

    assert ran.states[3:] == ["succeeded", "failed"]
    assert "may not be run" in ran.console(4)
    assert "'prod' as a" in ran.json(3, "manifest.json")["nodes"]["model.shop.a"]["compiled_code"]
    assert "logs/dbt.log" in ran.names(3)


async def test_secrets_that_a_project_writes(dbt):
    """However a project writes them: into its artifacts, its log, its errors."""
    files = BASE | {
        "models/a.sql": "select '{{ env_var(\"DBT_PLAIN\") }}' as a",
        "models/b.py": f"""
def model(dbt, session):
    dbt.config(materialized="table")
    open("target/text.txt", "w").write("{SECRET}")
    open("target/data.bin", "wb").write(b"\\0{SECRET}")
    print("here it is: {SECRET}")
    raise Exception("{SECRET}")
    return session.sql("select 1 as id")
""",
    }
    plan = projects.plan("dbt run", secrets=(SECRET,), variables={"DBT_PLAIN": SECRET})

    ran = await dbt.run(files, plan)

    assert ran.finish.error is not None
    assert SECRET not in ran.finish.error.message
    assert ran.attempt.of_phases[3, "text.txt"] == b"*****"
    assert "data.bin" not in ran.names(3)
    for content in [ran.attempt.console, *ran.attempt.of_phases.values()]:
        assert SECRET.encode() not in content
