"""Every statement over a tenant's rows is in a function that cannot be called without a Scope."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[2] / "src/controlroom/engine"
MIGRATIONS = ENGINE.parent / "postgres/migrations"

SCOPES = {"Scope", "Of", "Robot", "Room", "ScopedTx", "Tx[Scope]", "Rights", "Node", "Place"}
"""What a function takes so that it cannot be called by somebody who sees nothing.

Rights and Node are of the repository: what somebody may do in its folders, and what has been found by that; a Place is
where somebody keeps things of the organization, or of some of its workspaces.
"""

WITHOUT_REFERENCE = {"console_archive", "console_chunk", "run_wake", "secret_mask", "work_item_attempt"}
"""Tables that hang on a tenant's without a foreign key: they are written too often, or outlive it."""

BY_CREDENTIAL = {
    *("api_key_by_lookup", "credential_by_identifier", "email_trigger_at", "owner_of_credential"),
    *("process_secret_by_lookup", "use", "worker_by_lookup", "user_key_by_lookup"),
    *("service_token_by_lookup", "open_invitation_by_lookup"),
    *("add_days", "add_uses"),
}
"""Functions that find whose a credential is, or count its uses: who has shown one gets a Scope from what they find."""

OF_RIGHTS = {"_entries"}
"""The function that finds in which folders somebody has rights at all."""

CONDITIONS = {
    *(
        "listing",
        "held_by",
        "_numbers",
        "placement_matches",
        "by",
        "serves",
        "_can_run",
        "_claim",
        "_labelled",
        "_naming",
        "with_paths",
        "task_path",
    ),
}
"""Functions that give a condition, or the text of a statement, for functions that take a Scope."""


def tenants_tables() -> set[str]:
    """The tables with rows of a workspace: those that name it, and those that hang on such a one."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in sorted(MIGRATIONS.glob("*.sql")))
    created = dict(re.findall(r"create table (?:if not exists )?(\w+) \((.*?)\n\)", text, re.DOTALL))
    added = re.findall(r"alter table (\w+)\s+add column (?:if not exists )?workspace_id", text)
    tables = {name for name, columns in created.items() if re.search(r"^\s*workspace_id ", columns, re.MULTILINE)}
    tables |= {*added, *WITHOUT_REFERENCE}
    while True:
        hanging = {
            name
            for name, columns in created.items()
            if name not in tables and any(re.search(rf"references {each}\b", columns) for each in tables)
        }
        if not hanging:
            return tables
        tables |= hanging


def statements(node: ast.AST) -> Iterator[tuple[ast.AsyncFunctionDef | ast.FunctionDef, str]]:
    """The outermost functions of a module, with all the text in them."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.AsyncFunctionDef | ast.FunctionDef):
            body = child.body[1:] if ast.get_docstring(child) else child.body
            texts = [
                each.value
                for statement in body
                for each in ast.walk(statement)
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            yield child, "\n".join(texts)
        elif isinstance(child, ast.ClassDef):
            yield from statements(child)


def takes_scope(function: ast.AsyncFunctionDef | ast.FunctionDef) -> bool:
    """Whether a function has a parameter whose type says whose rows it may touch."""
    parameters = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    named = [ast.unparse(each.annotation) for each in parameters if each.annotation is not None]
    return any(set(re.findall(r"\w+", name)) & SCOPES for name in named)


def unscoped(noun: str) -> list[str]:
    """The functions of a noun that touch a tenant's table and take no Scope."""
    table = re.compile(rf"\b(?:from|join|into|update|table)\s+(?:only\s+)?({'|'.join(sorted(tenants_tables()))})\b")
    place = ENGINE / noun
    files = [place] if place.is_file() else sorted(place.rglob("*.py"))
    found = []
    for file in files:
        for function, text in statements(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                table.search(text)
                and not takes_scope(function)
                and function.name not in BY_CREDENTIAL | CONDITIONS | OF_RIGHTS
            ):
                found.append(f"{file.relative_to(ENGINE)}:{function.lineno} {function.name}")
    return found


NOUNS = sorted(each.name for each in ENGINE.iterdir() if each.suffix == ".py" or (each / "__init__.py").exists())


@pytest.mark.parametrize("noun", NOUNS)
def test_who_reads_or_writes_a_tenants_rows_takes_a_scope(noun):
    """No function of the noun can be called without saying for whom."""
    assert unscoped(noun) == []


MADE_IN = {"Room": ("maintenance/", "host/", "app.py"), "ScopedTx": ("engine/tenancy.py", "engine/workers/linking.py")}
"""Who may make them. A link token says itself whose it is, in the transaction that uses it up."""


@pytest.mark.parametrize("made", MADE_IN)
def test_nobody_sees_everything_by_saying_so(made):
    """The Room is made by what the server does by itself, a scoped transaction by beginning one."""
    source, call = ENGINE.parent, re.compile(rf"(?<!class )\b{made}\(")
    files = [file for file in source.rglob("*.py") if file.relative_to(source).parts[0] != "worker"]  # has its own Room
    makers = {file.relative_to(source).as_posix() for file in files if call.search(file.read_text(encoding="utf-8"))}
    others = {maker for maker in makers if not maker.startswith(MADE_IN[made])}
    assert others == set()
