"""No list and no choice of the console ends at some number: what does is named here, with how the rest is found.

Looked for in the source: calls that read so many rows, rows that are cut, and choices that are no `ui.pick`.
"""

import ast
import re
from pathlib import Path

import controlroom.ui

ROOT = Path(controlroom.ui.__file__).parent

CUT = {
    # a look at a few of many, beside which stands where all of them are
    "overview/pages.py": {
        "_MOST_GROUPS",
        "_MOST_QUEUES",
        "_MOST_TROUBLES",
        "_SHOWN_PROCESSES",
        "_SHOWN_QUEUES",
        "_SHOWN_RUNS",
        "_SHOWN_STARTS",
        "_SHOWN_WORKERS",
    },
    "workers/pages.py": {"_MOST_QUEUES", "_MOST_GROUPS"},  # all queues, all workers: pages of their own
    "items/pages.py": {"_MOST_GROUPS"},  # reasons, the most frequent first; the list beneath has every item
    "items/pages_bulk.py": {"_MOST_JOBS"},  # the latest
    "items/shown.py": {"_MOST_KIN", "_LOOKED_AT"},  # has_more_children; lines round an error
    "connect/pages.py": {"MOST_KEYS"},  # the total, and the list of keys
    "processes/pages_detail.py": {"_RUNS", "_MOST_SCHEDULES", "_MOST_REASONS"},
    "provisioners/pages.py": {"_LATEST"},
    "workers/pages_link.py": {"_MOST_COME"},
    "workers/pages_worker.py": {"_SHOWN_LATELY"},
    "queues/pages_tables.py": {"_LATEST"},
    "search/pages.py": {"_MOST_VIEWS"},
    # what says that it is cut, and where the others are (`ui.cut`, `is_cut`, "n more")
    "processes/pages_triggers.py": {"_MOST"},
    "health/pages.py": {"_MOST_WORKERS"},
    "me/pages.py": {"_MOST"},
    "users/pages_one.py": {"_MOST_PAIRS"},
    "users/pages_left_files.py": {"_MOST"},
    "workers/pages_groups.py": {"_MOST_TOKENS", "_MOST_WORKERS"},
    "members/pages_groups.py": {"_MOST"},  # the first people, whose number is told; the group's page turns
    "lockers/pages_secrets.py": {"_MOST_VALUES"},
    "queues/pages_archives.py": {"_LATEST"},
    "repository/pages.py": {"_MOST", "MOST_VERSIONS"},
    "repository/pages_needs.py": {"_MOST"},  # offered to be ticked; others are named
    "code_policies/pages.py": {"_MOST"},
    "code_policies/pages_findings.py": {"_MOST"},
    "transfers/pages.py": {"_MOST"},  # ticked; others are named
    "variables/pages.py": {"_MOST_LINES", "_MOST_COLUMNS"},
    "jobs/pages.py": {"MOST_SOURCES"},
    "assistants/pages_run.py": {"_MOST_ARTIFACTS"},
    "runs/pages_tabs.py": {"_MOST_ARTIFACTS", "_MOST_PAYLOADS", "_MOST_EVENTS"},
    "runs/pages_step_run.py": {"_MOST_ARTIFACTS"},
    "runs/pages_verbs.py": {"_MOST_INPUTS"},
    "runs/pages_console.py": {"_MOST_ARTIFACTS", "MOST_STEP_RUNS"},
    "tasks/pages_requests.py": {"_MOST"},  # step runs and tasks of one request
    "items/tree.py": {"MOST_LINES"},  # left_out
    "runs/previews.py": {"_MOST_CELLS"},
    # bounds of what is sent, not of what is shown
    "entrance.py": {"_MOST_WORKSPACES"},
    "asking.py": {"_MOST_PARTS"},
    "names.py": {"_MOST"},  # the others of a page stay ids
    "schedules/forms.py": {"_MOST_TIMES"},
    # the pieces themselves
    "pickers/picker.py": {"SUGGESTED"},
    "pickers/workspaces.py": {"SUGGESTED"},
    "repository/folders.py": {"SUGGESTED"},
    "lists/skeleton.py": {"LENGTH", "BATCH"},
    "processes/pages_changes.py": {"_LENGTH"},  # a page, that turns
}
"""Modules, and the constants at which something ends there."""

FREE = {"lists/skeleton.py", "pickers/picker.py", "runs/pages_console.py"}
"""Where a length is a parameter: the skeleton, the picker, and the lines of a console."""

OF_FEW = {
    "types",
    "refuses",
    "kinds",
    "ref_kinds",
    "days_of_month",
    "overlaps",
    "misseds",
    "inputs",
    "days",
    "grammars",
    "rights.items() | list",
    "places",
    "themes.items() | list",
    "densities.items() | list",
    "options",  # of a field of somebody's form: what its author wrote
    '([] if each.is_required else [("", "None")]) + pairs(each.choices)',  # likewise
    '[("", "Any")] + found.options[filter.key] | list',  # of a filter that is no `Reference`
    (
        '[("workspace", "In " ~ request.here.name)]'
        ' + ([("organization", "In the organization")] if can_write_above else [])'
    ),
}
"""Choices whose number is our own: words of an enum, and the like."""


def cuts(source):
    """The constants at which something ends in a module: lengths of what is read, and ends of slices."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg in {"limit", "length"} and not is_page(keyword.value):
                    yield ast.unparse(keyword.value)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and node.slice.upper is not None:
            upper = ast.unparse(node.slice.upper)
            if re.fullmatch(r"_?(MOST|SHOWN|SUGGESTED|LENGTH|BATCH)\w*", upper):
                yield upper


def is_page(length):
    """One more than a page has, so that it is known whether there are more; or one row alone."""
    is_one_more = isinstance(length, ast.BinOp) and ast.unparse(length.right) == "1"
    return is_one_more or (isinstance(length, ast.Constant) and length.value == 1)


def modules():
    return {str(path.relative_to(ROOT)): path.read_text() for path in sorted(ROOT.rglob("*.py"))}


def test_nothing_is_cut_that_does_not_say_so():
    """Each length is a page's, or stands above: a new one is a list that ends, or a choice that lacks some."""
    found = {name: set(cuts(source)) for name, source in modules().items()}
    free = {name: {each for each in of if not each.islower()} if name in FREE else of for name, of in found.items()}
    unknown = {name: of - CUT.get(name, set()) - {"len(has)", "len(numbers)"} for name, of in free.items()}
    assert {name: of for name, of in unknown.items() if of} == {}


def test_what_is_named_here_is_there():
    """So that the table above stays short."""
    found = {name: set(cuts(source)) for name, source in modules().items()}
    assert {name: of - found.get(name, set()) for name, of in CUT.items() if of - found.get(name, set())} == {}


def test_the_look_finds_what_it_is_for():
    """A list of 200, a choice of 500, and one that is cut after it was read; not a page, and not one row."""
    assert list(cuts("await store.list_groups(db, seen, limit=200)")) == ["200"]
    assert list(cuts("Asked(sort=by_name, length=_MOST)")) == ["_MOST"]
    assert list(cuts("rows = known[:_MOST_OPTIONS]")) == ["_MOST_OPTIONS"]
    assert list(cuts("await store.list_groups(db, seen, limit=_A_PAGE + 1)")) == []
    assert list(cuts("Asked(filter=which, length=1)")) == []


def selects(source):
    """The options of each choice in a template that is no picker."""
    for found in re.finditer(r"ui\.select\(", source):
        depth, start, arguments = 0, found.end(), []
        for at in range(start, len(source)):
            if source[at] in "([{":
                depth += 1
            elif source[at] in ")]}":
                if depth == 0:
                    arguments.append(source[start:at])
                    break
                depth -= 1
            elif source[at] == "," and depth == 0:
                arguments.append(source[start:at])
                start = at + 1
        yield arguments[2].strip()


def test_one_of_many_is_chosen_by_the_picker():
    """A choice beside it has words of ours, or stands above; `<select>` is written in the one piece."""
    wild, written = {}, set()
    for path in sorted(ROOT.rglob("*.html")):
        source, name = path.read_text(), str(path.relative_to(ROOT))
        literal = re.compile(r"\[(\(\"[^\"]*\", \"[^\"]*\"\)(, )?)+\]")
        unknown = [each for each in selects(source) if each not in OF_FEW and not literal.fullmatch(each)]
        if unknown:
            wild[name] = unknown
        if "<select" in source:
            written.add(name)
    assert wild == {}
    assert written == {"templates/parts.html", "item_models/form.html"}, "the latter's are the types of an attribute"
