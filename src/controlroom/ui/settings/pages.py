"""Settings of a workspace: its name, how long things are kept, and the limits of the installation."""

from typing import Final

import msgspec

from controlroom.engine.access.model import Permission
from controlroom.engine.retention import actions, store
from controlroom.engine.retention.model import MOST_DAYS, OverridesChange
from controlroom.engine.workspaces import actions as workspaces
from controlroom.settings import Limits
from controlroom.ui import words
from controlroom.ui.asking import Asking, Crumb, Shown
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(at="settings", name="Settings", path="/settings", icon="settings", needs=Permission.READ_RUNS)

_KEPT: Final = {
    "run_days": ("Runs", "With their items, step runs and all that is left of them"),
    "assistant_run_days": ("Runs of assistants", "With what they left"),
    "console_days": ("Console output", "The run stays"),
    "artifact_days": ("Artifacts", "The run stays"),
    "event_days": ("Events", "The audit log"),
}
_SIZES: Final = {
    "payload_bytes": "Payload of a work item",
    "file_bytes": "File of a work item",
    "asset_bytes": "Asset",
    "package_bytes": "Package",
    "artifact_bytes": "Artifact",
    "secret_bytes": "Secret",
    "mail_bytes": "Mail",
    "git_bytes": "Git repository",
}
_COUNTS: Final = {
    "artifacts": "Artifacts of an attempt",
    "items_per_start": "Work items of a start",
    "items_per_batch": "Work items of a batch",
    "chain_depth": "Runs in a chain",
    "max_page_size": "Rows of a page of the API",
    "delivery_days": "Days that deliveries are kept",
    "link_seconds": "Seconds that a link works",
}


@page("/settings", needs=Permission.READ_RUNS)
async def show_settings(request: Asking) -> Shown:
    """All of them."""
    own = msgspec.structs.asdict(await store.get(*request.reading))
    return await _show(request, {name: "" if days is None else str(days) for name, days in own.items()})


@verb("/settings/retention", may=Permission.WRITE_WORKSPACE)
async def keep(request: Asking) -> Shown:
    """Keep things so long. What is kept for a shorter time from now on goes within the hour."""
    fields = await request.fields()
    typed = {name: fields.text(name) for name in _KEPT}
    wrong = {name: f"Days from 0 to {MOST_DAYS:,}." for name, text in typed.items() if not _is_days(text)}
    if wrong:
        return await _show(request, typed, wrong)
    change = OverridesChange(**{name: int(text) if text else None for name, text in typed.items()})
    await actions.change(*request.acting, change)
    return request.done(f"{request.base}/settings", "Saved. What is kept no longer goes within the hour.")


@verb("/settings/name", may=Permission.WRITE_WORKSPACE)
async def rename(request: Asking) -> Shown:
    """Call the workspace otherwise: its addresses change with it."""
    fields = await request.fields()
    renamed = await workspaces.rename(*request.acting, fields.text("name"))
    return request.done(f"/w/{renamed.number}/settings", f"It is called {renamed.name} now, and so are its addresses.")


def limits_of(limits: Limits) -> list[tuple[str, str]]:
    """The limits of the installation that somebody here may meet, in words."""
    sizes = [(said, words.size(getattr(limits, name))) for name, said in _SIZES.items()]
    counts = [(said, f"{getattr(limits, name):,}") for name, said in _COUNTS.items()]
    return [*sizes, *counts]


def _is_days(text: str) -> bool:
    return not text or (text.isascii() and text.isdecimal() and len(text) < 8 and int(text) <= MOST_DAYS)  # noqa: PLR2004


async def _show(request: Asking, typed: dict[str, str], wrong: dict[str, str] | None = None) -> Shown:
    installed = request.engine.limits
    return await request.show(
        "settings/settings.html",
        title="Settings",
        at="settings",
        crumbs=[Crumb("Settings")],
        status=400 if wrong else 200,
        kept=[(name, said, hint, getattr(installed, name)) for name, (said, hint) in _KEPT.items()],
        typed=typed,
        wrong=wrong or {},
        limits=limits_of(installed),
        can_write=request.actor.may(Permission.WRITE_WORKSPACE, request.workspace),
    )
