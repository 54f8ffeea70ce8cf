"""What takes its time with queues: tables that are put in, exports and imports."""

from functools import partial
from typing import Final

from controlroom.engine.nouns import InOrganization, Missing, Noun
from controlroom.ids import QueueJobId

QUEUE_JOB: Final = Noun[QueueJobId](
    "queue job", partial(Missing, "queue job"), "queue_job", InOrganization("queue_job.organization_id")
)
