"""How bad findings are, and which packages are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.analyses.errors import PolicyInvalid
from controlroom.engine.analyses.model import Rules, Severity
from controlroom.engine.analyses.rules import DEFAULT, checked_codes, judged, refused_for, severity_of
from controlroom.protocol import Finding

CODES = st.sampled_from(["S6", "S602", "S60", "S", "E9", "E999", "F821"])
RULES = st.builds(
    Rules,
    name=st.just("strict"),
    rules=st.just(("S", "E9")),
    high=st.lists(CODES, max_size=4).map(tuple),
    critical=st.lists(CODES, max_size=4).map(tuple),
    refuses=st.sampled_from([None, *Severity]),
)
FINDINGS = st.lists(
    st.builds(
        Finding, rule=CODES, message=st.just("x"), path=st.just("a.py"), line=st.integers(1, 9), column=st.just(1)
    )
)
ORDER = list(Severity)


def test_shell_injection_is_high_and_what_is_no_program_critical():
    """By the policy of workspaces that have none of their own, which refuses nothing."""
    assert severity_of(DEFAULT, "S602") is severity_of(DEFAULT, "S605") is Severity.HIGH
    assert severity_of(DEFAULT, "E999") is Severity.CRITICAL
    assert severity_of(DEFAULT, "F821") is Severity.LOW
    assert DEFAULT.refuses is None


@given(RULES, FINDINGS)
def test_the_longest_name_decides_and_the_worst_come_first(policy, findings):
    """And a package is refused for exactly those that are as bad as the policy says, or worse."""
    found = judged(policy, findings)

    for each in found:
        fitting = [name for name in policy.high + policy.critical if each.finding.rule.startswith(name)]
        if not fitting:
            assert each.severity is Severity.LOW
        else:
            longest = max(fitting, key=len)
            assert each.severity is (Severity.CRITICAL if longest in policy.critical else Severity.HIGH)
    ranks = [ORDER.index(each.severity) for each in found]
    assert ranks == sorted(ranks, reverse=True)
    least = len(ORDER) if policy.refuses is None else ORDER.index(policy.refuses)
    assert refused_for(policy, findings) == [each for each in found if ORDER.index(each.severity) >= least]


def test_rules_are_named_by_codes():
    """In whatever case, each once; nothing else reaches the reader's command line."""
    assert checked_codes(["s602", " S6 ", "S602"], what="rules") == ("S602", "S6")
    for wrong in ("", "602", "S602,--fix", "ALL OF THEM", "é1"):
        with pytest.raises(PolicyInvalid):
            checked_codes([wrong], what="rules")
