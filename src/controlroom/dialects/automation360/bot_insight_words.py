"""How BotInsight is asked, and how values and their profiles are told."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Final
from urllib.parse import parse_qs, quote, unquote, urlsplit
from uuid import UUID

from controlroom.border.lenient import moment
from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking
from controlroom.dialects.automation360.executions import step_run_in
from controlroom.dialects.automation360.paths import ROOT
from controlroom.engine.lists.model import EVERYTHING, AllOf, Compare, Filter, Operator
from controlroom.engine.statistics import insights
from controlroom.engine.statistics.insights import Profile, Speaking, Value, Which
from controlroom.errors import Invalid, NotFound
from controlroom.ids import WorkItemId, as_uuid
from controlroom.robots.interfaces import ParameterType

LENGTH: Final = 1000
MOST: Final = 10_000
MOST_PROFILED: Final = 10_000
_LARGEST: Final = 10**9
_NOTHING: Final = UUID(int=0)


class Variable(Shape, frozen=True):
    """A value, as text."""

    key: str
    value: str


class ProfileVariable(Shape, frozen=True, kw_only=True):
    """What the values of a variable are, all together; sums of numbers are numbers, of others null."""

    variable_name: str
    internal_variable_name: str
    display_name: str
    attribute_type: str
    sum_of_value: float | None
    minimum_value: float | None
    maximum_value: float | None
    average_of_values: float | None
    total_distinct: int
    total_null_records: int
    enabled: str = "Y"
    added_state: str = "N"


def page_of(pageno: str, limit: str) -> tuple[int, int, int]:
    """The number of the page, the rows before it, and how many rows it has."""
    number, length = _count("pageno", pageno), min(_count("limit", limit) or LENGTH, MOST)
    return number, number * length, length


def _count(name: str, text: str) -> int:
    plain = text.strip()
    if not plain:
        return 0
    if not (plain.isascii() and plain.isdigit()):
        raise Invalid(f"`{name}` is a number of rows or pages, not {plain[:40]}", code="POSITION_WRONG")
    return min(int(plain[:10]), _LARGEST)


def days(field: str, since: str, until: str) -> Filter:
    """From a moment on, until another; each may be left out."""
    which = which_of(since, until)
    of: list[Filter] = []
    if which.since is not None:
        of.append(Compare(field, Operator.GE, which.since))
    if which.until is not None:
        of.append(Compare(field, Operator.LE, which.until))
    return AllOf(tuple(of)) if of else EVERYTHING


def which_of(since: str, until: str, *, run: str = "", transaction: str = "") -> Which:
    """Which items are meant. Raises Invalid; a run or transaction that is none is that of no item."""
    item = as_uuid(transaction.strip()) if transaction.strip() else None
    return Which(
        since=_moment("fromDate", since),
        until=_moment("toDate", until),
        step_run=None if not run.strip() else step_run_in(run) or step_run_in(str(_NOTHING)),
        item=None if not transaction.strip() else WorkItemId(item or _NOTHING),
    )


def _moment(name: str, text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        return moment(text)
    except ValueError:
        raise Invalid(f"`{name}` is a time, as 2026-01-31T12:00:00", code="TIME_WRONG") from None


_FILE_ID: Final = re.compile(r"\d{1,19}")


async def bot_of(request: Asking, name: str, path: str) -> Speaking:
    """The bot of a name, or of the number or path in its repository path. Raises NotFound, also if it has no variables.

    Of several of one name the path tells which is meant; else it is the first. Raises Invalid where nothing is named.
    """
    number = _number_in(path)
    if not name.strip() and not path.strip():
        raise Invalid("name a bot: by botName, or by repositoryPath", code="BOT_NOT_NAMED")
    is_by_path = not name.strip() and number is None
    ending = _unquoted(path) if is_by_path else None
    found = await insights.speaking(*request.reading, name=name.strip() or None, number=number, ending=ending)
    if not found:
        raise NotFound(f"there is no bot {(name or path)[:200]!r} with variables", code="BOT_NOT_FOUND")
    wanted = _plain(path)
    there = next((bot for bot in found if wanted and _plain(repository_path(bot)).endswith(wanted)), None)
    if there is None and is_by_path:  # a path alone names that bot, or none
        raise NotFound(f"there is no bot {path[:200]!r} with variables", code="BOT_NOT_FOUND")
    return there or found[0]


def _number_in(path: str) -> int | None:
    named = parse_qs(urlsplit(path).query).get("fileId", [""])[0]
    return int(named) if _FILE_ID.fullmatch(named) and int(named) < 2**63 else None


def _plain(path: str) -> str:
    return _unquoted(path).casefold()


def _unquoted(path: str) -> str:
    return unquote(urlsplit(path).path).replace("\\", "/").strip("/")


def repository_path(bot: Speaking) -> str:
    """Where a bot lies, as an address."""
    names = [*ROOT.split("\\"), *bot.path, bot.name]
    return f"repository:///{'/'.join(quote(name) for name in names)}?fileId={bot.number}&workspace=PUBLIC"


def variables_of(bot: Speaking, values: list[Value]) -> dict[WorkItemId, list[Variable]]:
    """The variables of each item; of several outputs of one name the last counts."""
    told: dict[WorkItemId, dict[str, str]] = {}
    for each in values:
        if each.name in (bot.outputs if each.is_output else bot.inputs):
            told.setdefault(each.item, {})[each.name] = each.value or ""
    return {item: [Variable(key, value) for key, value in sorted(of_it.items())] for item, of_it in told.items()}


def profile_of(bot: Speaking, profiles: list[Profile]) -> list[ProfileVariable]:
    """The profile of each variable."""
    return [_profile(each, (bot.outputs if each.is_output else bot.inputs)[each.name]) for each in profiles]


_NUMERIC: Final = frozenset({ParameterType.INTEGER, ParameterType.NUMBER})


def _profile(profile: Profile, kind: ParameterType) -> ProfileVariable:
    is_number = kind in _NUMERIC or (kind is ParameterType.ANY and profile.total is not None)
    average = None if profile.total is None or not profile.count else profile.total / profile.count
    return ProfileVariable(
        variable_name=profile.name,
        internal_variable_name=profile.name,
        display_name=profile.name,
        attribute_type="NUMERIC" if is_number else "STRING",
        sum_of_value=_number(profile.total),
        minimum_value=_number(profile.least),
        maximum_value=_number(profile.most),
        average_of_values=_number(average),
        total_distinct=profile.distinct,
        total_null_records=max(profile.missing, 0),
    )


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
