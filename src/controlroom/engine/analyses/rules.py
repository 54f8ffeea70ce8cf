"""How bad findings are, and whether a package is refused for them."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from controlroom.engine.analyses.errors import PolicyInvalid
from controlroom.engine.analyses.model import Judged, Result, Rules, Severity
from controlroom.protocol import Finding

DEFAULT: Final = Rules(
    name="Default",
    # Why so few: a robot that is in order has none of these. Style is its author's affair.
    rules=(
        *("E9", "F821", "F823"),  # what cannot be read, or names what is nowhere
        *("S102", "S307"),  # code made of text
        *("S301", "S302", "S506"),  # objects made of what strangers send
        *("S323", "S501", "S507"),  # TLS and SSH without a look at who is there
        *("S602", "S604", "S605", "S609"),  # a shell
        *("S608", "S611", "S612", "S701", "S702"),  # text that becomes SQL, HTML, a configuration
    ),
    high=("S102", "S307", "S602", "S604", "S605", "S609"),
    critical=("E9",),
)
"""Where neither a folder nor the workspace has a policy."""

_ORDER: Final = (Severity.LOW, Severity.HIGH, Severity.CRITICAL)
_CODE: Final = re.compile(r"[A-Z]{1,6}[0-9]{0,4}", re.ASCII)
_MOST: Final = 500
SYNTAX: Final = "E999"
"""The rule of a file that is no program, which has no code where it is found."""


def severity_of(policy: Rules, rule: str) -> Severity:
    """How bad a finding of a rule is: by the longest name that fits; low where none does."""
    named = [(len(each), Severity.HIGH) for each in policy.high if rule.startswith(each)]
    named += [(len(each), Severity.CRITICAL) for each in policy.critical if rule.startswith(each)]
    return max(named, key=lambda found: (found[0], _ORDER.index(found[1])))[1] if named else Severity.LOW


def judged(policy: Rules, findings: Iterable[Finding]) -> list[Judged]:
    """The findings with how bad they are, the worst first, then by place."""
    found = [Judged(finding, severity_of(policy, finding.rule)) for finding in findings]
    return sorted(
        found,
        key=lambda each: (-_ORDER.index(each.severity), each.finding.path, each.finding.line, each.finding.column),
    )


def counts(found: Iterable[Judged]) -> Counter[Severity]:
    """How many there are of each severity."""
    return Counter(each.severity for each in found)


def worst(result: Result) -> Severity | None:
    """How bad the worst is that was found in a package; None: nothing was."""
    rules = Rules(name="", rules=result.rules, high=result.high, critical=result.critical)
    found = judged(rules, result.findings)
    return found[0].severity if found else None


def refused_for(policy: Rules, findings: Iterable[Finding]) -> list[Judged]:
    """What a package is refused for, the worst first; nothing where it is admitted."""
    if policy.refuses is None:
        return []
    least = _ORDER.index(policy.refuses)
    return [each for each in judged(policy, findings) if _ORDER.index(each.severity) >= least]


def checked_codes(codes: Sequence[str], *, what: str) -> tuple[str, ...]:
    """Names of rules, each once. Raises PolicyInvalid."""
    found = tuple(dict.fromkeys(code.strip().upper() for code in codes))
    if len(found) > _MOST:
        raise PolicyInvalid(f"a policy names at most {_MOST} rules")
    for code in found:
        if not _CODE.fullmatch(code):
            raise PolicyInvalid(f"{what}: {code[:40]!r} is no name of a rule: letters, then digits, as S602 or S6")
    return found
