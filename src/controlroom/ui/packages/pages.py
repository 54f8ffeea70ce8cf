"""Packages: all of them; and how one comes, as a zip or from git."""

from typing import Any, Final

from controlroom.border.forms import form_of
from controlroom.engine.packages import actions, sources
from controlroom.engine.packages.fetches import RefKind
from controlroom.engine.packages.listings import PACKAGES, ListedPackage
from controlroom.engine.packages.source_store import OWN_BRANCH, Ref
from controlroom.engine.packages.sources import Wanted
from controlroom.ui.asking import Asking, Fields, Permission, Shown
from controlroom.ui.filters import Text
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(at="packages", name="Packages", path="/packages", icon="packages", needs=Permission.READ_PACKAGES)
_LIST: Final = ListPage(
    listing=PACKAGES,
    row=ListedPackage,
    path="/packages",
    noun="packages",
    noun_of_one="package",
    topics="package package_source",
    filters=(Text("url", "Git address", "url"),),
    columns=(
        Col("name", "Package", sort="name", always=True),
        Col("version", "Version", is_number=True, always=True),
        Col("tasks", "Tasks", csv=lambda row: ", ".join(row.tasks)),
        Col("source", "Comes", csv=lambda row: row.url or "uploaded"),
        Col("size", "Size", is_number=True),
        Col("changed_at", "Changed", sort="changed_at", is_number=True, always=True),
    ),
    searched=("name",),
    searched_words="Name, number or id",
    sort="name",
)


@page("/packages", needs=Permission.READ_PACKAGES)
async def list_packages(request: Asking) -> Shown:
    """The list."""
    found = await _LIST.read(request)
    return await request.show(
        "packages/list.html", title="Packages", at="packages", found=found, may_change=may_change(request)
    )


def may_change(request: Asking) -> bool:
    """Whether the actor may change packages here."""
    return request.actor.may(Permission.WRITE_PACKAGES, request.workspace)


@page("/packages/new", needs=(Permission.WRITE_PACKAGES, Permission.READ_PACKAGES))
async def ask_for_package(request: Asking) -> Shown:
    """A zip, or an address of git."""
    return await _form(request, Fields([("ref_kind", "own")]))


@verb("/packages/upload", request_max_body_size=None, may=Permission.WRITE_PACKAGES)
async def upload_package(request: Asking) -> Shown:
    """Make a zip the latest version of the package of a name; it is streamed, up to what a package may have."""
    request.scope_for(Permission.WRITE_PACKAGES)  # before a file is taken from who may not
    form = form_of(request.headers.get("content-type") or "", request.stream(), file="zip")
    blob = await request.engine.objects.put(form.content(), max_size=request.engine.limits.package_bytes)
    name = form.field("name").strip() or form.file_name.rpartition("/")[2].removesuffix(".zip")
    fields = Fields([("name", name), ("folder", form.field("folder")), ("ref_kind", "own")])
    pushed, refused = await tried(actions.push(*request.acting, name, blob, folder=form.field("folder").strip()))
    if pushed is None:
        return await _form(request, fields, refused=refused)
    its = pushed.package
    told = f"{its.name} has version {its.latest.version if its.latest else 1}."
    if not pushed.is_new_version:
        told = f"{its.name} has this content already: no new version."
    return request.done(f"{request.base}/packages/{its.number}", told)


@verb("/packages/from-git", may=Permission.WRITE_PACKAGES)
async def create_from_git(request: Asking) -> Shown:
    """Make a package that is fetched from git."""
    fields = await request.fields()
    made, refused = await tried(sources.create_package(*request.acting, fields.text("name"), wanted_of(fields)))
    if made is None:
        return await _form(request, fields, refused=refused)
    package, _ = made
    return request.done(f"{request.base}/packages/{package.number}", f"{package.name} is fetched in a moment.")


def wanted_of(fields: Fields) -> Wanted:
    """The source that a form says."""
    kinds = {each.value: each for each in RefKind}
    kind = kinds.get(fields.text("ref_kind"))
    ref = Ref(RefKind.BRANCH, OWN_BRANCH) if kind is None else Ref(kind, fields.text("ref"))
    return Wanted(
        url=fields.text("url"),
        ref=ref,
        folder=fields.text("folder"),
        secret_name=fields.text("secret") or None,
    )


async def _form(request: Asking, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "packages/new.html",
        title="New package",
        at="packages",
        crumbs=request.way(("Packages", "/packages"), "New package"),
        status=REFUSED if refused else 200,
        fields=fields,
        ref_kinds=ref_kinds(),
        most=request.engine.limits.package_bytes,
        refused=refused,
    )


def ref_kinds() -> list[tuple[str, Any]]:
    """What of a repository may be fetched."""
    return [("own", "its own branch"), *((each.value, each.value.replace("_", " ")) for each in RefKind)]
