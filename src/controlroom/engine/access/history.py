"""What was done to one thing, and by whom: who sees the thing is told who has changed it last.

The record is that of the audit log; how a thing came to be as it is belongs to it, and takes no right of its own.
What was only read of it, or used, is told to those who read the log.
"""

from typing import Final
from uuid import UUID

from controlroom.engine.access.audit import AuditEvent
from controlroom.engine.access.scope import EACH, Scope
from controlroom.postgres.database import Statements

_USED: Final = ("revealed", "shown", "downloaded", "exported", "tested", "loaded")
"""Verbs that leave a thing as it is."""


async def changes_of(db: Statements, scope: Scope, subject: UUID, *, limit: int = 10) -> list[AuditEvent]:
    """What has changed a thing that the scope sees, the latest first: in its workspaces, or in the organization."""
    return await db.all(
        AuditEvent,
        f"""
        select event.id, event.at, event.kind, event.actor_kind, event.actor_id, event.process_id, event.run_id,
               event.step_run_id, event.subject_id, event.data,
               coalesce(nullif(trim(app_user.first_name || ' ' || app_user.last_name), ''), app_user.username,
                        credential.name) as actor_name
          from event
          left join app_user on app_user.id = event.actor_id and event.actor_kind = 'user'
          left join credential on credential.id = event.actor_id
                              and event.actor_kind in ('api_key', 'service_token')
         where event.subject_id = %(subject)s and event.work_item_id is null
           and event.kind not in ('secret.read', 'shared_secret.value_given') -- as the index says
           and event.organization_id = %(organization)s
           and (event.workspace_id is null or event.workspace_id in {EACH})
           and split_part(event.kind, '.', 2) <> all (%(used)s::text[])
         order by event.at desc, event.id desc
         limit %(limit)s
        """,
        subject=subject,
        used=list(_USED),
        limit=limit,
        **scope.each,
    )
