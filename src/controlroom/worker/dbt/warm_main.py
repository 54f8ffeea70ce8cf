"""Makes a zygote ready for dbt: it reads a project of the room's own, so that what dbt makes lazily is there.

A zygote imports this file, by its own interpreter, after dbt and one adapter; it imports nothing of ours. Nothing of
the project stays: its files are removed, its adapter is forgotten, and no thread is left, which a fork would lose.
Whatever goes wrong is the next command's business: it then makes what is missing itself.

Facts (dbt-core 1.11.16, dbt-duckdb 1.11.1, duckdb 1.5.6, tried): dbt's static parser starts threads that stay, and so
does `import duckdb`, by its default connection, which is opened anew when it is asked for. dbt reads flags from the
variables, which are not to count as read here: a command may have others.
"""

# ruff: noqa: ANN001, ANN201, ANN202, BLE001, PLC0415, PTH103, PTH109, PTH118, PTH120, PTH123, S108, SLF001, UP031
# mypy: ignore-errors

import gc
import os
import shutil
import sys

_FILES = {
    "dbt_project.yml": "name: warm\nversion: '1'\nprofile: warm\nmodel-paths: [models]\nflags: {}\n",
    "models/first.sql": "{{ config(materialized='table') }}\nselect 1 as id, {{ var('x', 2) }} as x",
    "models/second.sql": "{% set n = 1 %}select * from {{ ref('first') }} where id > {{ n }}",
    "models/schema.yml": "models:\n  - name: first\n    columns:\n      - name: id\n"
    "        data_tests: [unique, not_null, {accepted_values: {arguments: {values: [1]}}}]\n"
    "sources:\n  - name: raw\n    tables:\n      - name: orders\n",
    "seeds/seed.csv": "id,name\n1,one\n",
    "tests/none.sql": "select * from {{ ref('second') }} where false",
    "macros/own.sql": "{% macro own(x) %}{{ x }}{% endmacro %}",
}
_OUTPUTS = {
    "duckdb": '{"type": "duckdb", "path": ":memory:", "threads": 1}',
    "postgres": '{"type": "postgres", "host": "127.0.0.1", "port": 1, "user": "x", "password": "x", '
    '"dbname": "x", "schema": "x", "threads": 1}',
}


def warm():
    """Read the project, and leave nothing of it."""
    adapter = next((name for name in _OUTPUTS if "dbt.adapters." + name in sys.modules), None)
    if adapter is None:
        return
    folder = os.path.join(os.environ.get("TMPDIR", "/tmp"), "warm")
    here = os.getcwd()
    try:
        for name, text in {**_FILES, "profiles.yml": _profile(adapter)}.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)
        os.chdir(folder)
        _parse(folder)
    finally:
        os.chdir(here)
        shutil.rmtree(folder, ignore_errors=True)


def _profile(adapter):
    return '{"warm": {"target": "warm", "outputs": {"warm": %s}}}' % _OUTPUTS[adapter]


def _parse(folder):
    from dbt.adapters.factory import cleanup_connections, reset_adapters
    from dbt.cli.main import dbtRunner
    from dbt_common.events.functions import reset_metadata_vars

    places = ["--profiles-dir", folder, "--project-dir", folder, "--target-path", "target", "--log-path", folder]
    silent = ["--quiet", "--log-level-file", "none", "--no-send-anonymous-usage-stats", "--no-version-check"]
    for more in (["--no-partial-parse"], []):  # once afresh, once as it is with the last parse at hand
        dbtRunner().invoke(["parse", *places, *silent, "--no-static-parser", *more])
    cleanup_connections()
    reset_adapters()
    reset_metadata_vars()  # what goes into artifacts of the variables is read once in a process


def _forget_threads():
    if "duckdb" in sys.modules:
        sys.modules["duckdb"].default_connection().close()
    if "multiprocessing.resource_tracker" in sys.modules:
        gc.collect()  # what it tracks is given back first
        sys.modules["multiprocessing.resource_tracker"]._resource_tracker._stop()


def _silently(do):
    """Do something whose words nobody wants; what it looks up in the variables is not seen either."""
    kind, os.environ.__class__ = os.environ.__class__, os._Environ
    kept = [os.dup(1), os.dup(2)]
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        do()
    except BaseException:
        return
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in enumerate(kept, start=1):
            os.dup2(descriptor, number)
        for descriptor in [*kept, nothing]:
            os.close(descriptor)
        os.environ.__class__ = kind


_silently(warm)
_silently(_forget_threads)
gc.collect()
gc.freeze()
