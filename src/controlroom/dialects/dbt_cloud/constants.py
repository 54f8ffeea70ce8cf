"""What a vendor's own pages ask about: flags, constants, licences by another directory, invitations."""

from typing import Any, Final

from controlroom.dialects.dbt_cloud.answers import Listed
from controlroom.dialects.dbt_cloud.asking import Asking
from controlroom.dialects.dbt_cloud.errors import NotSupported
from controlroom.dialects.dbt_cloud.lists import whole
from controlroom.dialects.dbt_cloud.permission_sets import SETS
from controlroom.dialects.dbt_cloud.routing import BOTH, V2, V3, get, post

_MAPS: Final = "/accounts/{account}/license-maps"
_NO_MAPS: Final = "no other directory tells of people here, so that no licence follows from one"
_NO_LICENCES: Final = "nothing is licensed here: what somebody may do follows from groups and grants"
_NO_INVITES: Final = "nobody is invited by mail: make users by `controlroom users create`"
_NOT_TRIED: Final = "a connection is tried where it is used: run `dbt debug` as a job's command"


@get("/accounts/{account}/feature-flag", versions=V3)
async def list_feature_flags(request: Asking) -> dict[str, Any]:  # noqa: ARG001 - it is the same for everybody
    """The flags of the account: there are none."""
    return {}


@get("/constants", versions=BOTH)
async def get_constants(request: Asking) -> dict[str, Any]:  # noqa: ARG001 - likewise
    """Words and numbers of this grammar."""
    return {
        "permission_sets": list(SETS),
        "license_types": ["developer", "read_only"],
        "run_statuses": {"Queued": 1, "Starting": 2, "Running": 3, "Success": 10, "Error": 20, "Cancelled": 30},
        "states": {"active": 1, "deleted": 2},
        "environment_types": ["development", "deployment"],
        "deployment_types": ["production", "staging"],
        "job_types": ["ci", "scheduled", "other", "merge"],
        "webhook_events": ["job.run.started", "job.run.completed", "job.run.errored"],
    }


@get(_MAPS, versions=V3)
async def list_license_maps(request: Asking) -> Listed[dict[str, Any]]:
    """The maps from another directory to licences: there are none."""
    return whole(request, [])


@post(_MAPS, versions=V3, not_had=_NO_MAPS)
async def create_license_map(request: Asking) -> None:  # noqa: ARG001 - it says no to everybody
    """Not had: a map from another directory to licences."""
    raise NotSupported(_NO_MAPS)


@post("/accounts/{account}/permissions/{permission}", versions=V3, not_had=_NO_LICENCES)
async def set_license(request: Asking) -> None:  # noqa: ARG001 - likewise
    """Not had: a user's licence."""
    raise NotSupported(_NO_LICENCES)


@get("/accounts/{account}/invites", versions=V2)
async def list_invites(request: Asking) -> Listed[dict[str, Any]]:
    """Invitations that wait: there are none."""
    return whole(request, [])


@post("/accounts/{account}/invites", versions=V2, not_had=_NO_INVITES)
async def invite(request: Asking) -> None:  # noqa: ARG001 - likewise
    """Not had: an invitation by mail."""
    raise NotSupported(_NO_INVITES)


@post("/accounts/{account}/connections/test", versions=V3, not_had=_NOT_TRIED)
async def try_connection(request: Asking) -> None:  # noqa: ARG001 - likewise
    """Not had: a connection that is tried by the server, which must not reach databases."""
    raise NotSupported(_NOT_TRIED)
