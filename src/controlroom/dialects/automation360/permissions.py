"""The vendor's permission pairs (§2.11.4), and what they mean here.

A role keeps the pairs that it was made with as words (`automation360:<resource>.<action>`). What a pair *gives* are
permissions of ours that its holder has throughout the organization; that is little: most pairs are about what is one's
own or in one's folders, and what somebody may do in a folder is granted there. Who may do it *shows* the pair, wherever
they may: who owns a workspace, say, has never been given one.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Final

from msgspec import Struct

from controlroom.dialects.automation360.routing import Pair
from controlroom.engine.access.model import EVERYTHING, OF_ORGANIZATION, Actor, Permission
from controlroom.engine.access.rules import permissions_of
from controlroom.errors import Invalid

_P = Permission
GRAMMAR: Final = "automation360:"
_SEES_PEOPLE: Final = frozenset({_P.READ_MEMBERS})
_CHANGES_PEOPLE: Final = frozenset({_P.READ_MEMBERS, _P.WRITE_MEMBERS})
_SEES_RUNS: Final = frozenset({_P.READ_PROCESSES, _P.READ_RUNS, _P.READ_RUN_OUTPUTS})
_WORKERS: Final = frozenset({_P.READ_WORKERS, _P.WRITE_WORKERS})
_QUEUES: Final = frozenset({_P.READ_PROCESSES, _P.WRITE_PROCESSES, _P.READ_WORK_ITEMS, _P.WRITE_WORK_ITEMS})
_OWN: Final = frozenset({_P.OWN_SECRETS})
_SCHEDULES: Final = frozenset({_P.READ_SCHEDULES, _P.WRITE_SCHEDULES})
_PACKAGES: Final = frozenset({_P.READ_PACKAGES, _P.WRITE_PACKAGES, _P.READ_PROCESSES, _P.WRITE_PROCESSES})


class Meaning(Struct, frozen=True):
    """What a pair is here."""

    gives: frozenset[Permission] = frozenset()
    """Throughout the organization, to who holds a role with the pair."""
    shows: frozenset[Permission] = frozenset()
    """Who may do all this somewhere has the pair; nothing: only who was given it, and admins."""


def _gives(permissions: frozenset[Permission]) -> Meaning:
    return Meaning(permissions, permissions)


def _shows(*permissions: Permission) -> Meaning:
    return Meaning(shows=frozenset(permissions))


_NOTHING: Final = Meaning()
_OF_REQUESTS: Final = {
    "viewallrequests": _gives(frozenset({_P.READ_PROCESSES, _P.READ_RUNS})),
    "viewalltask": _gives(frozenset({_P.READ_PROCESSES, _P.READ_RUNS, _P.READ_WORK_ITEMS})),
}

_MEANINGS: Final[Mapping[str, Mapping[str, Meaning]]] = {
    "usermanagement": {
        "usermanagement": _gives(_SEES_PEOPLE),
        "createuser": _gives(_CHANGES_PEOPLE),
        "updateuser": _gives(_CHANGES_PEOPLE),
        "deleteuser": _gives(_CHANGES_PEOPLE),
        "viewuserrolebasicinfo": _shows(_P.READ_MEMBERS),
    },
    "rolesmanagement": {
        "rolesview": _gives(_SEES_PEOPLE),
        "rolesmanagement": _gives(_SEES_PEOPLE | {_P.WRITE_ROLES}),
    },
    "migration": dict.fromkeys(("view", "manage", "updatestatus"), _NOTHING),
    "licensemanagement": {"licensemanagement": _gives(_SEES_PEOPLE), "licenseinstall": _NOTHING},
    "dashboard": {"view": _shows(_P.READ_RUNS)},
    "taskscheduling": {
        "myschedule": _shows(_P.READ_RUNS),
        "managemyschedule": _shows(_P.START_RUNS),
        "everyoneschedule": _gives(_SEES_RUNS),
        "manageeveryoneschedule": Meaning(_SEES_RUNS, _SEES_RUNS | {_P.START_RUNS}),
        "view": _shows(_P.READ_SCHEDULES),
        "addschedule": _shows(_P.WRITE_SCHEDULES, _P.START_RUNS),
        "updateschedule": _shows(_P.WRITE_SCHEDULES, _P.START_RUNS),
        "deleteschedule": _shows(_P.WRITE_SCHEDULES),
        "manageallmyfolderschedules": _shows(_P.WRITE_SCHEDULES, _P.START_RUNS),
        "manageallschedules": Meaning(_SCHEDULES | {_P.START_AS}, _SCHEDULES),
        "setautomationpriority": _shows(_P.START_RUNS),
    },
    "repositorymanager": {
        "view": _shows(_P.READ_PACKAGES),
        "run": _shows(_P.START_RUNS),
        "export": _shows(_P.READ_PACKAGES),
        "import": _shows(_P.WRITE_PACKAGES),
        "createfolders": _gives(frozenset({_P.WRITE_WORKSPACES})),
        **dict.fromkeys(("renamefolders", "cancelcheckout", "forceunlock"), _shows(_P.WRITE_PACKAGES)),
        **dict.fromkeys(("setproductionversion", "gitrestore"), _shows(_P.WRITE_PACKAGES)),
        "accessresourceany": _gives(frozenset({_P.READ_PACKAGES, _P.READ_PROCESSES})),
        "all": _gives(_PACKAGES),
    },
    "credentials": {"managecredentials": _gives(_OWN)},
    "locker": {"create": _gives(_OWN), "all": _gives(_OWN | {_P.GOVERN_LOCKERS})},
    "eventtriggers": {
        "view": _shows(_P.READ_SCHEDULES),
        "manage": _shows(_P.WRITE_SCHEDULES),
        "managemytriggers": _shows(_P.WRITE_SCHEDULES),
    },
    "devices": {
        "view": _gives(frozenset({_P.READ_WORKERS})),
        "register": _shows(_P.WRITE_WORKERS),
        "all": Meaning(frozenset({_P.READ_WORKERS}), _WORKERS),
        "delete": _gives(_WORKERS),
        "edit": _gives(_WORKERS),
        "attestcredentials": _shows(_P.WRITE_WORKERS),
    },
    "pool": {"create": _shows(_P.WRITE_WORKERS), "all": _gives(_WORKERS)},
    "queue": {
        "addworkitem": _shows(_P.WRITE_WORK_ITEMS),
        "create": _shows(_P.WRITE_WORK_ITEMS),
        "all": _gives(_QUEUES),
    },
    "auditlog": {"everyoneactions": _gives(frozenset({_P.READ_AUDIT}))},
    "apikey": {"generate": _NOTHING},
    "botinsight": {"all": _gives(_SEES_RUNS)},
    "aimodelconnection": {
        "view": _gives(frozenset({_P.READ_MODELS})),
        "manage": _gives(frozenset({_P.READ_MODELS, _P.WRITE_MODELS})),
    },
    "apitasks": {"view": _shows(_P.READ_PROCESSES), "manage": _shows(_P.START_RUNS)},
    "packages": {"view": _shows(_P.READ_PACKAGES)},
    "aari": {
        "aarischeduler": _NOTHING,
        "pixiebrixintegration": _NOTHING,
        "createrequest": _shows(_P.START_RUNS),
        "submittask": _shows(_P.WRITE_WORK_ITEMS),
        **_OF_REQUESTS,
    },
    "process": {
        "view": _shows(_P.READ_PROCESSES),
        "deleteallrequest": _NOTHING,
        "deletemyrequest": _NOTHING,
        "viewandmanageallteam": _NOTHING,
        **_OF_REQUESTS,
    },
    "copilot": dict.fromkeys(("viewandmanageallteam", "viewandmanagemyteam", "viewandmanagebotsetup"), _NOTHING),
}

PAIRS: Final[Mapping[Pair, Meaning]] = {
    Pair(resource, action): meaning for resource, actions in _MEANINGS.items() for action, meaning in actions.items()
}
"""The pairs that are known. A role may have others; they give nothing."""

NUMBERS: Final[Mapping[str, Pair]] = {
    "30": Pair("devices", "view"),
    "58": Pair("taskscheduling", "myschedule"),
    "59": Pair("credentials", "managecredentials"),
    "97": Pair("devices", "register"),
    "118": Pair("devices", "all"),
    "148": Pair("dashboard", "view"),
    "149": Pair("eventtriggers", "view"),
    "150": Pair("eventtriggers", "manage"),
}
"""By which older clients name them."""
_NUMBER_OF: Final = {pair: number for number, pair in NUMBERS.items()}


class PermissionTold(Struct, frozen=True, rename="camel"):
    """A pair, as log-ins and users show it."""

    action: str
    resource_type: str


class PermissionOfRole(Struct, frozen=True, rename="camel"):
    """A pair, as roles show it."""

    id: str
    action: str
    resource_id: str
    resource_type: str


def pairs_of(actor: Actor) -> list[PermissionTold]:
    """The pairs that somebody has."""
    held = actor.throughout.union(*actor.grants.values())
    return [PermissionTold(pair.action, pair.resource) for pair in _shown(held, actor.words)]


def pairs_of_role(names: Collection[str]) -> list[PermissionOfRole]:
    """The pairs that a role has: those that it was made with, else those of what it allows."""
    words = {name for name in names if name.startswith(GRAMMAR)}
    held = frozenset() if words else permissions_of(names, None)
    return [PermissionOfRole(_NUMBER_OF.get(pair, ""), pair.action, "", pair.resource) for pair in _shown(held, words)]


def names_of(pairs: Iterable[Pair]) -> list[str]:
    """What a role that is made with these pairs has: them, and what they give. Raises Invalid for what is no name."""
    names: set[str] = set()
    for pair in pairs:
        if not (pair.resource.strip() and pair.action.strip()):
            raise Invalid("a permission has an action and a resourceType", code="INVALID_PERMISSION")
        names.add(f"{GRAMMAR}{pair.resource.strip()}.{pair.action.strip()}")
        names.update(given.value for given in PAIRS.get(pair, _NOTHING).gives)
    return sorted(names)


def _shown(held: frozenset[Permission], words: Collection[str]) -> list[Pair]:
    found = {_pair(word) for word in words if word.startswith(GRAMMAR)} | _of(held)
    return sorted(found, key=lambda pair: (pair.resource, pair.action))


@cache
def _of(held: frozenset[Permission]) -> frozenset[Pair]:
    if held >= EVERYTHING | OF_ORGANIZATION:
        return frozenset(PAIRS)
    return frozenset(pair for pair, meaning in PAIRS.items() if meaning.shows and meaning.shows <= held)


def _pair(word: str) -> Pair:
    resource, _, action = word.removeprefix(GRAMMAR).partition(".")
    return Pair(resource, action)
