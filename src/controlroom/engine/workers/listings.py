"""Workers of an organization, and the users as whom robots run, as lists have them."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.access.grants.store import OF_USER
from controlroom.engine.access.model import ALL_OF_A_WORKSPACE, Actor, Permission
from controlroom.engine.access.scope import Scope
from controlroom.engine.lists.model import EVERYTHING, Compare, Field, Filter, Kind, Listing, Operator, Within
from controlroom.engine.workers.model import WorkerState
from controlroom.engine.workers.serving import serves
from controlroom.engine.workers.store import WORKER, WORKER_GROUP
from controlroom.ids import UserId, WorkerId


class ListedUser(Struct, frozen=True):
    """A user whose default worker it is."""

    number: int
    username: str


class ListedWorker(Struct, frozen=True, kw_only=True):
    """A worker with the groups that it is in, and the users whose default it is."""

    id: WorkerId
    number: int
    name: str
    state: WorkerState
    standing: str
    """`connected`, `disconnected` (it fell silent), `offline` (it has said good-bye, or never came)."""
    slots: int
    version: str
    platform: str
    seen_at: datetime | None
    created_at: datetime
    group: str
    """The first group that it is in; "" for none."""
    users: list[ListedUser]


_STANDING: Final = """case when worker.state <> 'offline' then 'connected'
                            when worker.session is not null then 'disconnected' else 'offline' end"""
_GROUP: Final = """coalesce((select worker_group.name
                       from worker_group_member
                       join worker_group on worker_group.id = worker_group_member.worker_group_id
                      where worker_group_member.worker_id = worker.id and worker_group.deleted_at is null
                      order by worker_group.id limit 1), '')"""

WORKERS: Final = Listing(
    noun="workers",
    table="worker",
    columns=f"""worker.id, worker.number, worker.name, worker.state, {_STANDING} as standing, worker.slots,
           worker.version, worker.platform, worker.seen_at, worker.created_at, {_GROUP} as group,
           coalesce((select jsonb_agg(jsonb_build_object('number', app_user.number, 'username', app_user.username)
                                      order by app_user.id)
                       from app_user where app_user.default_worker_id = worker.id), '[]') as users""",
    tenant="worker.organization_id",
    always=f"worker.deleted_at is null and {serves(WORKER)}",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="worker_of_organization"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("standing", Kind.TEXT, column=_STANDING, is_sortable=True),
        Field("slots", Kind.INTEGER, is_sortable=True),
        Field("version", Kind.TEXT, is_sortable=True),
        Field("group", Kind.TEXT, column=_GROUP, is_sortable=True),
        Field(
            "user_number",
            Kind.INTEGER,
            column="""(select app_user.number from app_user where app_user.default_worker_id = worker.id
                        order by app_user.id limit 1)""",
            is_nullable=True,
        ),
        Field("seen_at", Kind.INSTANT, is_nullable=True, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
    ),
)


WORKER_GROUPS: Final = Listing(
    noun="worker groups",
    table="worker_group",
    columns="worker_group.id, worker_group.number, worker_group.name, worker_group.created_at",
    tenant="worker_group.organization_id",
    always=f"worker_group.deleted_at is null and {serves(WORKER_GROUP)}",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="worker_group_of_organization"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
    ),
)
"""Groups without who is in them: what one is chosen of."""


class Runner(Struct, frozen=True, kw_only=True):
    """A user as whom robots run, with their default worker."""

    id: UserId
    number: int
    username: str
    worker_number: int | None
    worker_name: str | None


_WORKER: Final = """left join worker on worker.id = app_user.default_worker_id and worker.deleted_at is null"""

RUNNERS: Final = Listing(
    noun="users",
    table="app_user",
    columns="""app_user.id, app_user.number, app_user.username, worker.number as worker_number,
           worker.name as worker_name""",
    joins=_WORKER,
    tenant="app_user.organization_id",
    always=f"""app_user.disabled_at is null and app_user.deleted_at is null and exists (
        select from {OF_USER} as held join role on role.id = held.role_id
         where role.permissions && array['{Permission.RUNTIME}', '{ALL_OF_A_WORKSPACE}']::text[])""",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("username", Kind.TEXT, is_sortable=True),
        Field("worker_number", Kind.INTEGER, column="worker.number", is_nullable=True, join=_WORKER),
        Field("worker_name", Kind.TEXT, column="worker.name", is_nullable=True, is_sortable=True, join=_WORKER),
    ),
)


def in_service(scope: Scope) -> Within:
    """What serves a workspace of the scope, for lists of what belongs to the organization."""
    return Within.one("%(organization)s", **scope.each)


def runners_seen_by(actor: Actor) -> tuple[Within, Filter]:
    """All of the organization, for who may name others somewhere; else the actor alone."""
    may_name = any(actor.may(Permission.START_AS, each) for each in actor.grants)
    own = EVERYTHING if may_name or actor.id is None else Compare("id", Operator.EQ, actor.id)
    return Within.one("%(organization)s", organization=actor.organization_id), own
