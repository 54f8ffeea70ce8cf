"""A package: versions, tasks, environment, what uses it; and the verbs to bring, take back and delete it."""

from typing import Any, Final

from controlroom.border.links import download_url
from controlroom.engine.access import history
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.packages import actions, labels, sources, store
from controlroom.engine.packages.model import Package
from controlroom.engine.packages.rollback import roll_back
from controlroom.engine.packages.source_store import OWN_BRANCH
from controlroom.engine.packages.sources import SourceNotFound, SourceView
from controlroom.engine.packages.store import PACKAGE
from controlroom.engine.references import resolve
from controlroom.engine.usage import store as usage
from controlroom.errors import Invalid
from controlroom.ids import PackageId
from controlroom.robots.exclude_newer import parse_moment, written
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown, elsewhere
from controlroom.ui.numbers import ensure_number, id_of
from controlroom.ui.packages.pages import may_change, ref_kinds, wanted_of
from controlroom.ui.questions import ask
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.repository.pages import who_edits
from controlroom.ui.routing import page, verb

_A_PAGE: Final = 20


@page("/packages/{number:str}", needs=Permission.READ_PACKAGES)
async def show_package(request: Asking, number: Path[str]) -> Shown:
    """What it is, what it was, and what uses it."""
    package = await _seen(request, number)
    ensure_number(request, number, package.number)
    before = request.query_params.get("before", "")
    versions = await labels.list_versions(
        *request.reading, package.id, before=_whole(before) if before else None, limit=_A_PAGE + 1
    )
    here = f"{request.base}/packages/{package.number}"
    return await request.show(
        "packages/package.html",
        title=package.name,
        at="packages",
        crumbs=request.way(("Packages", "/packages"), package.name),
        package=package,
        here=here,
        source=await _source(request, package.id),
        own_branch=OWN_BRANCH,
        versions=versions[:_A_PAGE],
        more=f"{here}?before={versions[_A_PAGE - 1].version}" if len(versions) > _A_PAGE else "",
        first=here if before else "",
        tasks=await store.list_tasks(*request.reading, package.id),
        users=await usage.users_of_package(*request.reading, package.id),
        changes=await history.changes_of(*request.reading, package.id),
        may_change=may_change(request),
        node=f"{request.base}/repository/{package.number}",
        **await who_edits(request, package.id),
    )


@page("/packages/{number:str}/versions/{version:int}/zip", needs=Permission.READ_PACKAGES)
async def fetch_version(request: Asking, number: Path[str], version: Path[int]) -> Shown:
    """The zip, by a link that works for an hour."""
    package = await _seen(request, number)
    found = await labels.get_version(*request.reading, package.id, _whole(str(version)))
    name = f"{package.name}-{found.version}.zip"
    return elsewhere(download_url(request, DownloadKind.PACKAGE_VERSION, found.id, file_name=name))


@page(
    "/packages/{number:str}/versions/{version:int}/roll-back",
    needs=(Permission.WRITE_PACKAGES, Permission.READ_PACKAGES),
)
async def ask_to_roll_back(request: Asking, number: Path[str], version: Path[int]) -> Shown:
    """What changes for runs."""
    package = await _seen(request, number)
    found = await labels.get_version(*request.reading, package.id, _whole(str(version)))
    return await request.show(
        "packages/roll_back.html",
        title=f"Roll {package.name} back",
        at="packages",
        crumbs=_crumbs(request, package, "Roll back"),
        package=package,
        version=found,
        users=await usage.users_of_package(*request.reading, package.id),
    )


@verb("/packages/{number:str}/versions/{version:int}/roll-back")
async def roll_package_back(request: Asking, number: Path[str], version: Path[int]) -> Shown:
    """Have runs take the content of an earlier version."""
    package = await _package(request, number)
    its = await roll_back(*request.acting, package, _whole(str(version)))
    now = its.latest.version if its.latest else version
    return request.done(
        f"{request.base}/packages/{its.number}",
        f"Version {now} has the content of {version}. Runs take it from now on.",
    )


@verb("/packages/{number:str}/labels", may=Permission.WRITE_PACKAGES)
async def set_label(request: Asking, number: Path[str]) -> Shown:
    """Give a version a label."""
    fields = await request.fields()
    package = await _package(request, number)
    label, version = fields.text("label"), fields.text("version")
    borne = await _undo_of_label(request, package, number, label)
    await labels.set_label(*request.acting, package, label, _whole(version))
    here = f"{request.base}/packages/{number}"
    said = f"Version {version} bears the label {label}."
    return request.done(here, said, **borne)


@verb("/packages/{number:str}/labels/delete", may=Permission.WRITE_PACKAGES)
async def remove_label(request: Asking, number: Path[str]) -> Shown:
    """Take a label away."""
    fields = await request.fields()
    package, label = await _package(request, number), fields.text("label")
    borne = await _undo_of_label(request, package, number, label)
    await labels.remove_label(*request.acting, package, label)
    return request.done(f"{request.base}/packages/{number}", "The label is taken away.", **borne)


async def _undo_of_label(request: Asking, package: PackageId, number: str, label: str) -> dict[str, Any]:
    """What lets a label be where it was."""
    here, scope = f"{request.base}/packages/{number}/labels", request.scope_for(Permission.WRITE_PACKAGES)
    before = (await labels.labelled(request.db, scope, [package], label)).get(package)
    if before is None:
        return {"undo": f"{here}/delete", "undo_with": {"label": label}}
    return {"undo": here, "undo_with": {"label": label, "version": str(before.version)}}


# ---------------------------------------------------------------------------------------------------- environment
@page("/packages/{number:str}/newest", needs=(Permission.WRITE_PACKAGES, Permission.READ_PACKAGES))
async def ask_how_new(request: Asking, number: Path[str]) -> Shown:
    """How new the packages of the world may be that its robots get."""
    package = await _seen(request, number)
    return await _newest_form(request, package, _moment_said(package))


@verb("/packages/{number:str}/newest")
async def set_how_new(request: Asking, number: Path[str]) -> Shown:
    """Have its robots get no newer ones; runs under way keep what they have."""
    fields = await request.fields()
    text, before = fields.text("moment"), await _seen(request, number)
    try:
        moment = parse_moment(text) if text else None
    except Invalid as wrong:
        return await _newest_form(request, before, text, refused=said(wrong))
    await actions.set_exclude_newer(*request.acting, await _package(request, number), moment)
    here = f"{request.base}/packages/{number}"
    told = "Its robots get an environment so from now on."
    return request.done(here, told, undo=f"{here}/newest", undo_with={"moment": _moment_said(before)})


def _moment_said(package: Package) -> str:
    return "" if package.exclude_newer is None else written(package.exclude_newer)


async def _newest_form(request: Asking, package: Package, moment: str, *, refused: str = "") -> Shown:
    return await request.show(
        "packages/newest.html",
        title=f"How new packages of {package.name} may be",
        at="packages",
        crumbs=_crumbs(request, package, "Newest packages"),
        status=REFUSED if refused else 200,
        package=package,
        moment=moment,
        refused=refused,
    )


# ---------------------------------------------------------------------------------------------------- git
@page("/packages/{number:str}/source", needs=(Permission.WRITE_PACKAGES, Permission.READ_PACKAGES))
async def ask_for_source(request: Asking, number: Path[str]) -> Shown:
    """From where it is fetched."""
    package = await _seen(request, number)
    source = await _source(request, package.id)
    pairs = [("ref_kind", "own")]
    if source is not None:
        is_own = source.ref.name == OWN_BRANCH
        pairs = [
            ("url", source.url),
            ("ref_kind", "own" if is_own else source.ref.kind.value),
            ("ref", "" if is_own else source.ref.name),
            ("folder", source.folder),
            ("secret", source.secret_name or ""),
        ]
    return await _source_form(request, package, Fields(pairs))


@verb("/packages/{number:str}/source")
async def set_source(request: Asking, number: Path[str]) -> Shown:
    """Say from where it is fetched, and fetch it."""
    fields = await request.fields()
    package = await _package(request, number)
    _, refused = await tried(sources.set_source(*request.acting, package, wanted_of(fields), keeps_hook=True))
    if refused:
        return await _source_form(request, await _seen(request, number), fields, refused=refused)
    return request.done(f"{request.base}/packages/{number}", "It is fetched in a moment.")


@verb("/packages/{number:str}/source/fetch", may=Permission.WRITE_PACKAGES)
async def fetch_source(request: Asking, number: Path[str]) -> Shown:
    """Fetch it now."""
    await sources.want(*request.acting, await _package(request, number))
    return request.done(f"{request.base}/packages/{number}", "It is fetched in a moment.")


@page("/packages/{number:str}/source/remove", needs=(Permission.WRITE_PACKAGES, Permission.READ_PACKAGES))
async def ask_to_remove_source(request: Asking, number: Path[str]) -> Shown:
    """What must be told again, should it be fetched again."""
    package = await _seen(request, number)
    return await ask(
        request,
        f"Fetch {package.name} no more",
        label="Fetch no more",
        back=f"{request.base}/packages/{number}",
        lost="Where it is fetched from, its credential and the address that tells of new commits are lost.",
        stays="Its versions stay.",
        at="packages",
        crumbs=request.way(("Packages", "/packages"), (package.name, f"/packages/{number}"), "Fetch no more"),
    )


@verb("/packages/{number:str}/source/remove", may=Permission.WRITE_PACKAGES)
async def remove_source(request: Asking, number: Path[str]) -> Shown:
    """Fetch it no more."""
    await sources.remove(*request.acting, await _package(request, number))
    return request.done(f"{request.base}/packages/{number}", "It is fetched no more. Its versions stay.")


# ---------------------------------------------------------------------------------------------------- deleting
@page("/packages/{number:str}/delete", needs=(Permission.WRITE_PACKAGES, Permission.READ_PACKAGES))
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What goes with it."""
    return await _question(request, await _seen(request, number))


@verb("/packages/{number:str}/delete")
async def delete_package(request: Asking, number: Path[str]) -> Shown:
    """Delete it, if nothing uses it."""
    package = await _package(request, number)
    _, refused = await tried(actions.delete(*request.acting, package))
    if refused:
        return await _question(request, await _seen(request, number), refused=refused)
    said = "The package is deleted. Runs under way keep the version they took."
    return request.done(f"{request.base}/packages", said, undo=f"{request.base}/packages/{package}/restore")


@verb("/packages/{number:str}/restore", may=Permission.WRITE_PACKAGES)
async def restore_package(request: Asking, number: Path[str]) -> Shown:
    """Have it again after it was deleted; its id says which it was."""
    found = await actions.restore(*request.acting, PackageId(id_of(number)))
    return request.done(f"{request.base}/packages/{found.number}", f"{found.name} is there again, as it was.")


async def _question(request: Asking, package: Package, *, refused: str = "") -> Shown:
    seen = request.scope_for(Permission.READ_PACKAGES)
    return await request.show(
        "packages/delete.html",
        title=f"Delete {package.name}",
        at="packages",
        crumbs=_crumbs(request, package, "Delete"),
        status=REFUSED if refused else 200,
        package=package,
        users=await usage.users_of_package(request.db, seen, package.id),
        refused=refused,
    )


async def _source_form(request: Asking, package: Package, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "packages/source.html",
        title=f"{package.name} from git",
        at="packages",
        crumbs=_crumbs(request, package, "From git"),
        status=REFUSED if refused else 200,
        package=package,
        fields=fields,
        ref_kinds=ref_kinds(),
        refused=refused,
    )


async def _source(request: Asking, package: PackageId) -> SourceView | None:
    try:
        return await sources.get(request.db, request.scope_for(Permission.READ_PACKAGES), package)
    except SourceNotFound:
        return None


async def _seen(request: Asking, named: str) -> Package:
    seen = request.scope_for(Permission.READ_PACKAGES)
    return await store.get(request.db, seen, await resolve(request.db, seen, PACKAGE, named))


async def _package(request: Asking, named: str) -> PackageId:
    return await resolve(request.db, request.scope_for(Permission.WRITE_PACKAGES), PACKAGE, named)


def _crumbs(request: Asking, package: Package, last: str) -> list[Crumb]:
    return request.way(("Packages", "/packages"), (package.name, f"/packages/{package.number}"), last)


def _whole(text: str) -> int:
    if not (text.isdecimal() and text.isascii() and len(text) <= 9):  # noqa: PLR2004 - what 32 bits hold
        raise Invalid("a version is a whole number", code="VERSION_INVALID")
    return int(text)
