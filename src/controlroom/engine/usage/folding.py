"""Uses that the record of events tells: which process read a secret, on which day."""

from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.events.cursor import IN_SPAN, Span


async def fold_uses(tx: ScopedTx, span: Span) -> None:
    """Count the readings of secrets in a span; the caller moves its cursor with it."""
    if not {"secret.read", "shared_secret.read"} & set(span.kinds):
        return
    await tx.execute(
        f"""
        insert into day_of_use as known (organization_id, workspace_id, noun, subject_id, day, process_id, count,
                                         last_at)
        select organization_id, workspace_id, 'secret', subject_id, (at at time zone 'UTC')::date, process_id, count(*),
               max(at)
          from event
         where {IN_SPAN} and kind in ('secret.read', 'shared_secret.read') and subject_id is not null
         group by organization_id, workspace_id, subject_id, 5, process_id
         order by subject_id, 5
            on conflict (subject_id, day, permission, process_id, workspace_id) do update
           set count = known.count + excluded.count, last_at = greatest(known.last_at, excluded.last_at)
        """,
        **span.params,
    )
