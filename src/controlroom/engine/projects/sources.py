"""Where a run's files come from: a project's package as it is when the run asks.

match await source_of(engine, scope, project, ref, since=asked_at):
    case Ready(package, commit): ...     # hand `package` to the worker
    case NotYet(): ...                   # ask again with the same moment
    case Unobtainable(why): ...          # the phase fails with these words
"""

from datetime import datetime

from controlroom.engine.access.scope import Scope
from controlroom.engine.engine import Engine
from controlroom.engine.packages import commits, source_store, store
from controlroom.engine.packages.commits import Content, Failed
from controlroom.engine.packages.model import Package
from controlroom.engine.packages.source_store import Ref
from controlroom.engine.packages.sources import check_ref
from controlroom.engine.projects.model import NotYet, Project, Ready, SourceAnswer, Unobtainable
from controlroom.errors import Invalid
from controlroom.protocol import PackageRef


async def source_of(
    engine: Engine, scope: Scope, project: Project, ref: Ref | None, *, since: datetime, subdirectory: str | None = None
) -> SourceAnswer:
    """The files of a project: of a zip its latest version, of git a ref as it is since a moment (the run's asking).

    A zip has no refs: one that is asked for is noted.

    `ref` None is the package's own. `subdirectory` is a target's, where it says another than the project's. Ask with
    the same moment until the answer is another than NotYet.
    """
    if project.package_id is None:
        return Unobtainable("the project has no repository yet: push it, or give it one")
    package = await store.get(engine.database, scope, project.package_id)
    folder = project.subdirectory if subdirectory is None else subdirectory
    source = await source_store.get(engine.database, scope, package.id)
    if source is None:
        return _of_zip(package, ref, folder)
    try:
        wanted = Ref(source.ref_kind, source.ref) if ref is None else check_ref(ref)
    except Invalid as refused:
        return Unobtainable(refused.message)
    match await commits.at(engine, scope, package.id, wanted, within=folder, since=since):
        case Content() as found:
            return Ready(PackageRef(found.hash, found.size, package.name, found.root), found.commit)
        case Failed(error):
            return Unobtainable(error)
        case None:
            return NotYet()


def _of_zip(package: Package, ref: Ref | None, folder: str) -> SourceAnswer:
    if package.latest is None:
        return Unobtainable(f"the package {package.name} has no content yet: push it")
    latest = package.latest
    # Why a ref is no fault: pipelines name their commit with every start, whatever the project's files come from
    note = "" if ref is None else f"A zip has no {ref.kind.value} {ref.name}: what was pushed last runs."
    return Ready(PackageRef(latest.hash, latest.size, package.name, folder or latest.folder), None, note)
