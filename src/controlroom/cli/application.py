"""The commands as cyclopts knows them: names and import paths, so that only the called one is imported."""

from cyclopts import App, CycloptsError

from controlroom import __version__
from controlroom.cli.commands import SECTIONS

__all__ = ["CycloptsError", "application"]


def application() -> App:
    """The whole command line."""
    app = App(
        name="controlroom",
        help="An open, self-hosted control room for automations.",
        version=__version__,
        help_format="plaintext",
        suppress_keyboard_interrupt=False,
    )
    for title, commands in SECTIONS:
        for command in commands:
            app.command(f"controlroom.{command.path}", name=command.name, help=command.summary, group=title)
    return app
