"""Packages from git: fetched over https and ssh from servers of this machine, which the operator has allowed."""

import asyncio
import hashlib
import hmac
import io
import os
import shutil
import subprocess
import threading
import zipfile

import pytest

from controlroom.engine.access.scope import Room
from controlroom.engine.packages import actions as packages
from controlroom.engine.packages import push_hooks, sources, store
from controlroom.engine.packages.errors import PackageNameTaken
from controlroom.engine.packages.fetches import RefKind
from controlroom.engine.packages.source_store import Ref
from controlroom.engine.packages.sources import Wanted
from controlroom.engine.vault import actions as vault
from controlroom.engine.vault.errors import SecretNotFound
from controlroom.errors import Forbidden, Invalid, Unauthenticated
from controlroom.maintenance.git_fetcher import Bounded, fetch_wanted
from controlroom.outgoing import Guard
from repositories import ROBOT, SSHD, served_over_https, served_over_ssh, ssh_key

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")

MAIN = Ref(RefKind.BRANCH, "main")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository that is served over https, by a certificate that the room trusts."""
    with served_over_https(tmp_path) as (found, authority):
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        yield found


@pytest.fixture
async def package(engine, workspace, ada):
    """A package without content."""
    return (await packages.create(engine, ada, workspace, "from git")).id


@pytest.fixture
def fetch(engine):
    """Does what is wanted, as a server does that allows this machine."""

    async def do(*allow: str) -> int:
        return await fetch_wanted(engine, Guard(allow or ("127.0.0.1",)))

    return do


async def test_a_branch_is_fetched_and_followed(engine, workspace, ada, package, repository, fetch, seen):
    """Each new commit is a version; the same commit again is none."""
    first = repository.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="print()")
    await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN))
    assert await fetch() == 1
    assert (await store.get(engine.database, seen, package)).task_names == ["One"]
    told = await sources.get(engine.database, seen, package)
    assert (told.fetched_commit, told.is_wanted, told.error) == (first, False, "")

    await sources.want(engine, ada, workspace, package)
    await fetch()
    assert (await store.get(engine.database, seen, package)).latest.version == 1

    repository.commit(robot_yaml=ROBOT.format(task="Two"))
    await sources.want(engine, ada, workspace, package)
    await fetch()
    latest = await store.get(engine.database, seen, package)
    assert (latest.latest.version, latest.task_names) == (2, ["Two"])
    assert await fetch() == 0


async def test_links_in_a_repository_are_followed(engine, workspace, ada, package, repository, fetch, seen):
    """A link within the robot's folder is no obstacle; one that leads out is said to do so."""
    (repository.folder / "latest.py").symlink_to("tasks.py")
    repository.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="print()")
    await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN))
    await fetch()
    assert (await store.get(engine.database, seen, package)).task_names == ["One"]

    (repository.folder / "hosts").symlink_to("/etc/hosts")
    repository.commit()
    await sources.want(engine, ada, workspace, package)
    await fetch()
    error = (await sources.get(engine.database, seen, package)).error
    assert error.startswith("`hosts` is a link to `/etc/hosts`, which leads out of the robot's folder")


async def test_a_package_has_what_a_clone_has(engine, workspace, ada, package, repository, fetch, seen):
    """What the repository leaves out of its releases, or fills in there, is as it was committed."""
    attributes = "tasks.py export-ignore\nlib/ export-ignore\n/lib/** export-ignore\n*.txt export-subst\n"
    (repository.folder / "lib").mkdir()
    (repository.folder / "lib" / "x.py").write_text("x")
    (repository.folder / "lib" / ".gitattributes").write_text("* export-ignore\n")
    repository.commit(
        robot_yaml=ROBOT.format(task="One"), tasks_py="print()", _gitattributes=attributes, of_txt="$Format:%H$"
    )
    await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN))
    assert await fetch() == 1

    found = await store.latest_version(engine.database, seen, package)
    assert found is not None
    files = zipfile.ZipFile(io.BytesIO(await engine.objects.read(found.hash)))
    assert {"tasks.py", "lib/x.py", "lib/.gitattributes"} <= set(files.namelist())
    assert files.read("of.txt") == b"$Format:%H$"


async def test_a_robot_of_several_is_chosen_by_its_folder(engine, workspace, ada, package, repository, fetch, seen):
    """Only that folder is fetched; without a choice, or with a wrong one, the robots that there are get listed."""
    for name in ("one", "two"):
        (repository.folder / "robots" / name).mkdir(parents=True)
        (repository.folder / "robots" / name / "robot.yaml").write_text(ROBOT.format(task=name))
    (repository.folder / "elsewhere").symlink_to("/etc")
    repository.commit(readme_md="")
    found = []
    for folder in ("", "robots/three", "robots/two/", ":(glob)**"):
        await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN, folder=folder))
        await fetch()
        found.append((await sources.get(engine.database, seen, package)).error)

    assert found[0] == (
        "There are 2 robots in the package: `robots/one`, `robots/two`. Choose one by its folder (--folder)"
    )
    assert (
        "There is no robot.yaml in `robots/three` of the repository, and no dbt_project.yml; "
        "there are robots in `robots/one`, `robots/two`" in found[1]
    )
    assert found[2] == ""
    assert "no robot.yaml in `:(glob)**`" in found[3]
    latest = (await store.get(engine.database, seen, package)).latest
    assert (latest.version, latest.folder, [task.name for task in latest.robot.tasks]) == (1, "robots/two", ["two"])


async def test_a_repository_of_countless_names_is_refused(engine, workspace, ada, package, repository, fetch, seen):
    """A few trees that name each other again and again list billions of files."""
    repository.commit(robot_yaml=ROBOT.format(task="One"))
    tree = repository.git("rev-parse", "HEAD^{tree}").strip()
    for _ in range(9):
        listed = "".join(f"040000 tree {tree}\t{name}\n" for name in "abcdefghij")
        tree = subprocess.run(
            ["git", "mktree"], cwd=repository.folder, input=listed, capture_output=True, text=True, check=True
        ).stdout.strip()
    repository.git("update-ref", "refs/heads/main", repository.git("commit-tree", tree, "-m", "bomb").strip())
    for folder in ("a", ""):
        wanted = Wanted(url=repository.url, ref=MAIN, folder=folder)
        await sources.set_source(engine, ada, workspace, package, wanted)
        await fetch()
        assert (await sources.get(engine.database, seen, package)).error == "the repository has too many files"

    assert (await store.get(engine.database, seen, package)).latest is None


async def test_a_package_is_made_with_its_source_or_not_at_all(engine, workspace, ada, ben, seen):
    """An address, a name or a right that is refused leaves no package of that name."""
    good = Wanted(url="https://example.com/a.git", ref=MAIN)
    for actor, wanted in (
        (ada, Wanted(url="git@example.com:a.git", ref=MAIN)),
        (ada, Wanted(url=good.url, ref=Ref(RefKind.BRANCH, "a..b"))),
        (ada, Wanted(url=good.url, ref=MAIN, folder="../a")),
        (ben, Wanted(url=good.url, ref=MAIN, secret_name="git")),
        (ada, Wanted(url=good.url, ref=MAIN, secret_name="never put")),
    ):
        with pytest.raises((Invalid, Forbidden, SecretNotFound)):
            await sources.create_package(engine, actor, workspace, "made", wanted)
        assert await store.by_name(engine.database, seen, "made") is None

    made, hook = await sources.create_package(engine, ada, workspace, "made", good)

    assert (await sources.get(engine.database, seen, made.id)).is_wanted
    (await push_hooks.find(engine, made.id)).check_token(hook)
    with pytest.raises(PackageNameTaken):
        await sources.create_package(engine, ada, workspace, "made", good)


async def test_tags_and_commits_stay_where_they_are(engine, workspace, ada, package, repository, fetch, seen):
    """What is fetched is what was named, whatever came since."""
    old = repository.commit(robot_yaml=ROBOT.format(task="Old"), tasks_py="")
    repository.git("tag", "v1")
    repository.git("config", "uploadpack.allowReachableSHA1InWant", "true")
    repository.commit(robot_yaml=ROBOT.format(task="New"))

    for ref in (Ref(RefKind.TAG, "v1"), Ref(RefKind.COMMIT, old)):
        await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=ref))
        await fetch()
        assert (await sources.get(engine.database, seen, package)).fetched_commit == old
        assert (await store.get(engine.database, seen, package)).task_names == ["Old"]


async def test_credentials_come_from_the_vault(engine, workspace, ada, ben, package, repository, fetch, seen):
    """They are sent to the repository; who may not use secrets cannot have one sent."""
    repository.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="")
    repository.password = "s3cret"
    await vault.put(engine, ada, workspace, "git", values={"token": "s3cret"})

    await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN))
    await fetch()
    refused = await sources.get(engine.database, seen, package)
    await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN, secret_name="git"))
    await fetch()

    assert "git failed" in refused.error
    assert (await sources.get(engine.database, seen, package)).error == ""
    with pytest.raises(Forbidden):
        await sources.set_source(
            engine, ben, workspace, package, Wanted(url=repository.url, ref=MAIN, secret_name="git")
        )


async def test_what_is_no_robot_leaves_the_version_before(engine, workspace, ada, package, repository, fetch, seen):
    """The reason is told, and the latest version stays."""
    repository.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="")
    await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN))
    await fetch()
    repository.commit(robot_yaml="tasks: [")
    await sources.want(engine, ada, workspace, package)
    await fetch()

    told = await sources.get(engine.database, seen, package)
    assert "robot.yaml" in told.error
    repository.commit(
        robot_yaml=ROBOT.format(task="Old") + "\ncondaConfigFile: conda.yaml\n", conda_yaml="dependencies: [python=2.7]"
    )
    await sources.want(engine, ada, workspace, package)
    await fetch()
    assert "Python 2.7 is asked for" in (await sources.get(engine.database, seen, package)).error
    assert (await store.get(engine.database, seen, package)).task_names == ["One"]


async def test_private_addresses_are_not_spoken_to(engine, workspace, ada, package, repository, fetch, seen):
    """Without the operator's leave no connection is made."""
    repository.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="")
    await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN))

    await fetch("10.0.0.1")

    assert "no public address" in (await sources.get(engine.database, seen, package)).error
    assert repository.asked == []


@pytest.fixture
def by_ssh(tmp_path):
    """A repository that is served over ssh, to who has its key."""
    if SSHD is None:
        pytest.skip("there is no sshd (Debian's package openssh-server)")
    with served_over_ssh(tmp_path) as found:
        yield found


async def test_a_key_of_the_vault_opens_a_repository_over_ssh(engine, workspace, ada, package, by_ssh, fetch, seen):
    """With the key, and what `ssh-keyscan` says about the host, for a port of its own too."""
    commit = by_ssh.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="")
    proof = {"private_key": by_ssh.private_key, "known_hosts": by_ssh.known_hosts}
    await vault.put(engine, ada, workspace, "deploy", values=proof)

    await sources.set_source(engine, ada, workspace, package, Wanted(url=by_ssh.url, ref=MAIN, secret_name="deploy"))
    await fetch()

    told = await sources.get(engine.database, seen, package)
    assert (told.error, told.fetched_commit) == ("", commit)
    assert (await store.get(engine.database, seen, package)).task_names == ["One"]


async def test_ssh_speaks_to_nobody_else_and_to_nobody_without_a_key(
    engine, workspace, ada, package, by_ssh, fetch, tmp_path, seen
):
    """Another host's key, another key, no key at all, and an address that is not allowed: each is told."""
    by_ssh.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="")
    stranger = ssh_key(tmp_path / "stranger")
    host, _, key = stranger.with_suffix(".pub").read_text().partition(" ")
    other_host = f"{by_ssh.known_hosts.split()[0]} {host} {key}"
    good = {"private_key": by_ssh.private_key, "known_hosts": by_ssh.known_hosts}
    found = []
    for proof, allowed in (
        (good | {"known_hosts": other_host}, "127.0.0.1"),
        (good | {"private_key": stranger.read_text()}, "127.0.0.1"),
        ({"known_hosts": by_ssh.known_hosts}, "127.0.0.1"),
        (good, "10.0.0.1"),
    ):
        await vault.put(engine, ada, workspace, "deploy", values=proof)
        await sources.set_source(
            engine, ada, workspace, package, Wanted(url=by_ssh.url, ref=MAIN, secret_name="deploy")
        )
        await fetch(allowed)
        found.append((await sources.get(engine.database, seen, package)).error)

    expected = ("Host key verification failed", "Permission denied", "private_key and known_hosts", "no public address")
    assert [words in error for words, error in zip(expected, found, strict=True)] == [True] * 4, found


async def test_a_claim_is_one_servers_for_a_minute_and_longer_when_renewed(
    engine, workspace, ada, package, later, seen
):
    """A killed server's fetch is another's after a minute; whoever lost a claim changes nothing any more."""
    wanted = Wanted(url="https://git.invalid/a.git", ref=MAIN)
    await sources.set_source(engine, ada, workspace, package, wanted)
    first = await sources.claim(engine, Room())
    await later(seconds=50)
    assert await sources.claim(engine, Room()) is None
    assert await sources.renew(engine, Room(), first)
    await later(seconds=50)
    assert await sources.claim(engine, Room()) is None
    await later(seconds=20)

    second = await sources.claim(engine, Room())

    assert second.package_id == first.package_id
    assert not await sources.renew(engine, Room(), first)
    await sources.give_up(engine, first, "too late")
    assert (await sources.get(engine.database, seen, package)).error == ""
    await sources.let_go(engine, Room(), second)
    assert (await sources.claim(engine, Room())).package_id == package


async def test_a_fetch_of_a_source_that_was_changed_meanwhile_brings_nothing(engine, workspace, ada, package, seen):
    """What another address gave is no version of the package."""
    await sources.set_source(engine, ada, workspace, package, Wanted(url="https://git.invalid/a.git", ref=MAIN))
    fetch = await sources.claim(engine, Room())
    await sources.set_source(engine, ada, workspace, package, Wanted(url="https://git.invalid/b.git", ref=MAIN))
    old = io.BytesIO()
    with zipfile.ZipFile(old, "w") as archive:
        archive.writestr("robot.yaml", ROBOT.format(task="Old"))

    assert not await sources.take(engine, fetch, commit="a" * 40, blob=await engine.objects.put_bytes(old.getvalue()))

    assert (await store.get(engine.database, seen, package)).latest is None
    assert (await sources.claim(engine, Room())).url == "https://git.invalid/b.git"


async def test_a_fetch_ends_when_its_source_is_removed(engine, workspace, ada, package, repository, seen):
    """It does not go on until the repository has given all; nothing stays in the data folder."""
    asked, answer = threading.Event(), threading.Event()
    repository.before = lambda: (asked.set(), answer.wait(60))
    repository.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="")
    await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN))
    fetching = asyncio.create_task(fetch_wanted(engine, Guard(("127.0.0.1",)), renew_every=0.05))
    await asyncio.to_thread(asked.wait, 60)

    await sources.remove(engine, ada, workspace, package)

    assert await asyncio.wait_for(fetching, 30) == 1
    answer.set()
    assert (await store.get(engine.database, seen, package)).latest is None
    with engine.scratch.folder("beside") as beside:
        assert [path for path in beside.parent.iterdir() if not path.name.startswith("beside")] == []


async def test_a_server_that_stops_gives_its_fetch_back(engine, workspace, ada, package, repository):
    """Another one need not wait for the end of the lease."""
    asked, answer = threading.Event(), threading.Event()
    repository.before = lambda: (asked.set(), answer.wait(60))
    repository.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="")
    await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN))
    fetching = asyncio.create_task(fetch_wanted(engine, Guard(("127.0.0.1",))))
    await asyncio.to_thread(asked.wait, 60)

    fetching.cancel()
    await asyncio.wait({fetching})
    answer.set()

    assert (await sources.claim(engine, Room())).package_id == package


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.git",
        "file:///etc",
        "ext::sh -c id",
        "https://user:password@example.com/a.git",
        "ssh://-oProxyCommand=id/a.git",
        "/srv/repository",
        "git@example.com:a.git",
    ],
)
async def test_only_https_and_ssh_are_addresses(engine, workspace, ada, package, url):
    """And none with a password in it, or that a program could take for an option."""
    with pytest.raises(Invalid):
        await sources.set_source(engine, ada, workspace, package, Wanted(url=url, ref=MAIN))


@pytest.mark.parametrize("name", ["--upload-pack=id", "a..b", "", "a b", "+main:evil", "x.lock"])
async def test_names_that_are_no_names_are_refused(engine, workspace, ada, package, name):
    """What stands after the address names one branch and is no option."""
    with pytest.raises(Invalid):
        await sources.set_source(
            engine,
            ada,
            workspace,
            package,
            Wanted(url="https://example.com/a.git", ref=Ref(RefKind.BRANCH, name)),
        )


async def pieces(*of_a_body: bytes):
    """A body as it comes."""
    for piece in of_a_body:
        yield piece


async def test_a_push_hook_wants_a_fetch(engine, workspace, ada, package, repository, fetch):
    """Signed as GitHub does or with GitLab's token; anything else is refused."""
    repository.commit(robot_yaml=ROBOT.format(task="One"), tasks_py="")
    _, secret = await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN))
    await fetch()
    signature = "sha256=" + hmac.new(secret.encode(), b"{}", hashlib.sha256).hexdigest()

    hook = await push_hooks.find(engine, package)

    await hook.check_signature(signature, pieces(b"{", b"}"))
    hook.check_token(secret)
    for refused in (secret, signature.upper(), ""):
        with pytest.raises(Unauthenticated):
            await hook.check_signature(refused, pieces(b"{}"))
    for refused in (signature, ""):
        with pytest.raises(Unauthenticated):
            hook.check_token(refused)
    assert await fetch() == 0
    await hook.want_fetch()
    assert await fetch() == 1
    assert await fetch() == 0


async def test_git_is_bounded_even_when_nobody_looks_after_it(tmp_path):
    """What it may take of memory, time and disk is said to the system: it holds for a git whose server was killed."""
    bounded = Bounded({"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, tmp_path, 1 << 20)

    said = await bounded.git("-c", "alias.bounds=!ulimit -v; ulimit -t; ulimit -f", "bounds")

    memory, seconds, blocks = map(int, said.split())
    assert (memory, seconds, blocks) == (4 << 20, 600, 2048)
