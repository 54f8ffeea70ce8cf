"""A run's files: a zip's latest version, or what a git repository holds when the run asks."""

import io
import shutil
import zipfile
from datetime import datetime

import pytest
from tests.engine.packages.conftest import zipped

from controlroom.engine.access.scope import Room
from controlroom.engine.packages import actions as packages
from controlroom.engine.packages import commits, sources, store
from controlroom.engine.packages.fetches import RefKind
from controlroom.engine.packages.source_store import Ref
from controlroom.engine.packages.sources import Wanted
from controlroom.engine.projects import actions
from controlroom.engine.projects.model import NotYet, ProjectChange, Ready, Unobtainable
from controlroom.engine.projects.sources import source_of
from controlroom.engine.retention.references import unnamed
from controlroom.maintenance.git_fetcher import fetch_wanted
from controlroom.outgoing import Guard
from repositories import served_over_https

PROJECT = "name: shop\n"
MAIN = Ref(RefKind.BRANCH, "main")
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository that is served over https, by a certificate that the room trusts."""
    with served_over_https(tmp_path) as (found, authority):
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        yield found


@pytest.fixture
def commit(repository):
    """Commits a project with a model, and tells the commit."""

    def made(model: str, *, below: str = "") -> str:
        (repository.folder / below).mkdir(parents=True, exist_ok=True)
        (repository.folder / below / "dbt_project.yml").write_text(PROJECT)
        (repository.folder / below / "model.sql").write_text(model)
        return repository.commit(readme_md="")

    return made


@pytest.fixture
async def package(engine, workspace, ada):
    """The package of the workspace, which is a project."""
    made = await packages.create(engine, ada, workspace, "shop")
    await actions.found(engine, ada, workspace, ProjectChange(package_id=made.id))
    return made.id


@pytest.fixture
def ask(engine, workspace, ada, seen):
    """Asks for the project's source as a run does that asks since a moment, now if none is given."""

    async def asked(ref=None, *, since=None, subdirectory=None):
        project = await actions.found(engine, ada, workspace)
        since = since or await now(engine)
        return await source_of(engine, seen, project, ref, since=since, subdirectory=subdirectory)

    return asked


async def now(engine) -> datetime:
    """By the database's clock."""
    return await engine.database.value("select clock_now()")


async def fetch(engine) -> int:
    """Do what is wanted, as a server that allows this machine."""
    return await fetch_wanted(engine, Guard(("127.0.0.1",)))


async def model_of(engine, found) -> str:
    """The project's model in a source."""
    assert isinstance(found, Ready), found
    files = zipfile.ZipFile(io.BytesIO(await engine.objects.read(found.package.hash)))
    root = f"{found.package.folder}/" if found.package.folder else ""
    return files.read(f"{root}model.sql").decode()


async def test_a_zip_is_there_at_once(engine, workspace, ada, package, ask):
    """Its latest version; before there is one it is said, and where a branch is wanted, that a zip has none."""
    assert await ask() == Unobtainable("the package shop has no content yet: push it")
    blob = await engine.objects.put_bytes(zipped(dbt_project_yml=PROJECT))
    files = io.BytesIO()
    with zipfile.ZipFile(files, "w") as archive:
        archive.writestr("dbt_project.yml", PROJECT)
        archive.writestr("model.sql", "select 1")
    blob = await engine.objects.put_bytes(files.getvalue())
    await packages.push(engine, ada, workspace, "shop", blob)

    found = await ask()
    assert (await model_of(engine, found), found.commit, found.package.folder) == ("select 1", None, "")
    noted = await ask(MAIN)
    assert (noted.package, noted.note) == (found.package, "A zip has no branch main: what was pushed last runs.")


async def test_a_project_without_files_says_so(engine, workspace, ada, ask):
    """Until it has a package."""
    await actions.found(engine, ada, workspace)
    assert isinstance(await ask(), Unobtainable)


@needs_git
async def test_a_branch_is_what_it_is_when_a_run_asks(engine, workspace, ada, package, commit, repository, ask, seen):
    """Each asking after a commit brings that; those who have asked before it keep the answer to their question."""
    first = commit("select 1")
    await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN))
    since = await now(engine)
    assert await ask(since=since) == NotYet()
    await fetch(engine)
    found = await ask(since=since)
    assert (await model_of(engine, found), found.commit) == ("select 1", first)
    assert await fetch(engine) == 0

    second = commit("select 2")
    assert (await ask(since=since)).commit == first
    later = await now(engine)
    assert await ask(since=later) == NotYet()
    assert await ask(since=later) == NotYet()
    assert await fetch(engine) == 1
    assert (await ask(since=later)).commit == second
    assert (await store.latest_version(engine.database, seen, package)).version == 2


@needs_git
async def test_another_branch_is_no_version(engine, workspace, ada, package, commit, repository, ask, seen):
    """A commit is fetched once and kept; workers of the workspace may fetch it, and nobody sweeps it."""
    commit("select 1")
    await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN))
    await fetch(engine)
    repository.git("checkout", "-q", "-b", "feature")
    wanted = commit("select 2")
    feature, exact = Ref(RefKind.BRANCH, "feature"), Ref(RefKind.COMMIT, wanted)
    since = await now(engine)
    await ask(feature, since=since)
    await fetch(engine)

    found = await ask(feature, since=since)
    assert (await model_of(engine, found), found.commit) == ("select 2", wanted)
    assert await ask(exact) == found
    assert (await store.latest_version(engine.database, seen, package)).version == 1
    digest = found.package.hash
    assert (await store.zip_by_hash(engine.database, seen, digest)).size == found.package.size
    async with engine.database.transaction() as tx:
        assert await unnamed(tx, [digest, "beef"]) == ["beef"]


@needs_git
async def test_a_ref_that_cannot_be_had_fails_with_gits_words(engine, workspace, ada, package, commit, repository, ask):
    """Whoever asks later has it tried again; what can be no ref is refused at once."""
    commit("select 1")
    await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN))
    missing, since = Ref(RefKind.BRANCH, "missing"), await now(engine)
    await ask(missing, since=since)
    await fetch(engine)

    found = await ask(missing, since=since)
    assert isinstance(found, Unobtainable)
    assert "git failed" in found.why
    assert "missing" in found.why
    assert await ask(missing) == NotYet()
    for name in ("--upload-pack=x", "../x"):
        assert isinstance(await ask(Ref(RefKind.BRANCH, name)), Unobtainable)
    assert isinstance(await ask(Ref(RefKind.COMMIT, "beef")), Unobtainable)


@needs_git
async def test_a_project_of_several_lies_in_its_subdirectory(
    engine, workspace, ada, package, commit, repository, ask, seen
):
    """The whole repository comes along, for what the project names beside itself; a target may name another one."""
    commit("select 1", below="one")
    commit("select 2", below="two")
    await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN))
    await actions.change(engine, ada, workspace, ProjectChange(subdirectory="one"))
    await fetch(engine)
    assert (await sources.get(engine.database, seen, package)).error == ""
    assert (await store.latest_version(engine.database, seen, package)).folder == "one"
    since = await now(engine)
    for subdirectory in (None, "two", "", "three"):
        await ask(since=since, subdirectory=subdirectory)
    await fetch(engine)

    assert await model_of(engine, await ask(since=since)) == "select 1"
    assert await model_of(engine, await ask(since=since, subdirectory="two")) == "select 2"
    assert "2 dbt projects" in (await ask(since=since, subdirectory="")).why
    assert (
        "no dbt_project.yml; there are dbt projects in `one`, `two`"
        in (await ask(since=since, subdirectory="three")).why
    )


@needs_git
async def test_another_repository_is_asked_anew(engine, workspace, ada, package, commit, repository, ask):
    """What was kept of the one before counts no more, not even by its commit."""
    first = commit("select 1")
    await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN))
    await ask()
    await fetch(engine)
    exact = Ref(RefKind.COMMIT, first)
    assert isinstance(await ask(exact), Ready)

    await sources.set_source(engine, ada, workspace, package, Wanted(url=f"{repository.url}/other", ref=MAIN))
    assert await ask(exact) == NotYet()


@needs_git
async def test_what_nobody_asks_for_is_forgotten(engine, workspace, ada, package, commit, repository, ask, later):
    """A month later; what is still asked for stays."""
    first = commit("select 1")
    await sources.set_source(engine, ada, workspace, package, Wanted(url=repository.url, ref=MAIN))
    await ask()
    await fetch(engine)
    assert await commits.prune(engine.database, Room()) == 0
    await later(days=60)
    assert await commits.prune(engine.database, Room()) >= 1
    assert await ask(Ref(RefKind.COMMIT, first)) == NotYet()
