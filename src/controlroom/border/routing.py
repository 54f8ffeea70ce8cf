"""How a dialect's routes are found and called: by their modules, and by the names of their functions."""

from collections.abc import Collection, Sequence
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Final

from litestar.handlers import HTTPRouteHandler

BY_PUT: Final = "ByPut"
"""The end of the ids of operations that are other names for their POST."""


def operation_id(handler: HTTPRouteHandler, method: Any, _path: Any) -> str:
    """What the document calls an operation: as its function is called, in camel case."""
    first, *rest = handler.fn.__name__.split("_")
    name = first + "".join(word.capitalize() for word in rest)
    return name + BY_PUT if method == "PUT" and "POST" in handler.http_methods else name


def modules_in(package: ModuleType, *, but: Collection[ModuleType]) -> list[ModuleType]:
    """The modules of a folder, without some, and without its folders."""
    names = [f"{package.__name__}.{found.name}" for found in iter_modules(package.__path__) if not found.ispkg]
    return [import_module(name) for name in names if name not in {module.__name__ for module in but}]


def handlers_of(modules: Sequence[ModuleType]) -> list[HTTPRouteHandler]:
    """The routes of modules: those that a module names as `handlers` because it has others, too, else all of them."""
    return [handler for module in modules for handler in _routes_of(module)]


def _routes_of(module: ModuleType) -> list[HTTPRouteHandler]:
    if isinstance(named := getattr(module, "handlers", None), list):
        return named
    defined = vars(module).values()
    return [each for each in defined if isinstance(each, HTTPRouteHandler) and each.fn.__module__ == module.__name__]
