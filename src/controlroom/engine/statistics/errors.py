"""What can be wrong with a question about figures."""

from controlroom.errors import Conflict, Invalid


class PeriodWrong(Invalid):
    """A period begins before it ends, and lasts 400 days at most."""

    def __init__(self) -> None:
        super().__init__("a period begins before it ends, and lasts 400 days at most", code="PERIOD_WRONG")


class RebuildUnderWay(Conflict):
    """The figures are being made anew already."""

    def __init__(self) -> None:
        super().__init__("the figures are being made anew already", code="REBUILD_UNDER_WAY")
