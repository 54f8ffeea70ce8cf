"""Variables as people look at them: a line a name, a column a scope. Pure."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from controlroom.engine.variables.model import OF_WORKSPACE, Variable, VariableScope, Where


class Line(Struct, frozen=True, kw_only=True):
    """A name, with what it holds where."""

    name: str
    by_place: dict[Where, Variable]

    @property
    def is_secret(self) -> bool:
        """Whether nobody is told its values."""
        return any(each.is_secret for each in self.by_place.values())

    def at(self, where: Where) -> Variable | None:
        """What it is told there itself."""
        return self.by_place.get(where)

    @property
    def of_workspace(self) -> Variable | None:
        """What it holds wherever nothing nearer says."""
        return self.by_place.get(OF_WORKSPACE)

    def of(self, scope: VariableScope) -> list[Variable]:
        """What it holds in the scopes of a kind."""
        return [each for each in self.by_place.values() if each.scope is scope]

    @property
    def elsewhere(self) -> str:
        """How many targets, processes and people have a value of their own."""
        counts = (
            (VariableScope.TARGET, "environment", "environments"),
            (VariableScope.PROCESS, "process", "processes"),
            (VariableScope.USER, "person", "people"),
        )
        found = ((len(self.of(scope)), one, many) for scope, one, many in counts)
        return ", ".join(f"{number} {one if number == 1 else many}" for number, one, many in found if number)


def lines_of(variables: Iterable[Variable], sought: str = "") -> list[Line]:
    """A line for each name, in their order; of those whose name or a told value contains what is sought."""
    lines: dict[str, dict[Where, Variable]] = {}
    for each in variables:
        lines.setdefault(each.name, {})[each.where] = each
    wanted = sought.casefold()
    found = [Line(name=name, by_place=by_place) for name, by_place in sorted(lines.items())]
    return [line for line in found if _has(line, wanted)]


def _has(line: Line, wanted: str) -> bool:
    values: Sequence[str] = [each.value for each in line.by_place.values() if each.value is not None]
    return wanted in line.name.casefold() or any(wanted in value.casefold() for value in values)
