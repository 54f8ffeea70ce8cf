"""What somebody who watches is told: that something of a noun has changed, never what.

A topic is a noun (`run`: any run of the workspace) or one of them (`run-019a…`: this run, and what belongs to it).
Nouns are those with which the record of events says what happened, and two of which no event tells: `console` and
`progress`.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.model import Permission
from controlroom.ids import OrganizationId, WorkspaceId

CONSOLE: Final = "console"
"""The noun of new lines; only of one step run."""
PROGRESS: Final = "progress"
"""The noun of what robots say of how far they are; of one run, by the run's id."""
EVERYTHING: Final = "*"
"""The topic of which everybody hears when it cannot be said what has changed."""

NEEDS: Final[Mapping[str, Permission | None]] = {
    "run": Permission.READ_RUNS,
    "step_run": Permission.READ_RUNS,
    CONSOLE: Permission.READ_RUN_OUTPUTS,
    PROGRESS: Permission.READ_RUNS,
    "human_task": Permission.READ_RUNS,
    "work_item": Permission.READ_WORK_ITEMS,
    "queue": Permission.READ_WORK_ITEMS,
    "queue_job": Permission.READ_WORK_ITEMS,
    "queue_consumer": Permission.READ_PROCESSES,
    "item_model": Permission.READ_WORK_ITEMS,
    "process": Permission.READ_PROCESSES,
    "chain": Permission.READ_PROCESSES,
    "email_trigger": Permission.READ_PROCESSES,
    "trigger_mapping": Permission.READ_PROCESSES,
    "process_secret": Permission.READ_PROCESSES,
    "job": Permission.READ_PROCESSES,
    "retention": Permission.READ_PROCESSES,
    "schedule": Permission.READ_SCHEDULES,
    "package": Permission.READ_PACKAGES,
    "package_source": Permission.READ_PACKAGES,
    "project": Permission.READ_PACKAGES,
    "code_policy": Permission.READ_PACKAGES,
    "file": Permission.READ_PACKAGES,
    "folder": Permission.READ_PACKAGES,
    "label": Permission.READ_PACKAGES,
    "transfer": Permission.READ_PACKAGES,
    "worker": Permission.READ_WORKERS,
    "worker_group": Permission.READ_WORKERS,
    "link_token": Permission.READ_WORKERS,
    "provisioner": Permission.READ_WORKERS,
    "asset": Permission.READ_ASSETS,
    "shared_asset": Permission.READ_ASSETS,
    "secret": Permission.READ_SECRETS,
    "shared_secret": Permission.READ_SECRETS,
    "locker": Permission.READ_SECRETS,
    "assistant": Permission.READ_ASSISTANTS,
    "assistant_run": Permission.READ_ASSISTANTS,
    "webhook": Permission.READ_WEBHOOKS,
    "delivery": Permission.READ_WEBHOOKS,
    "notification": Permission.READ_WEBHOOKS,
    "target": Permission.READ_TARGETS,
    "extended_attributes": Permission.READ_TARGETS,
    "variable": Permission.READ_VARIABLES,
    "connection": Permission.READ_CONNECTIONS,
    "connection_profile": Permission.READ_TARGETS,
    "connection_login": Permission.READ_TARGETS,
    "model_connection": Permission.READ_MODELS,
    "model_provider": Permission.READ_MODELS,
    "api_key": Permission.READ_API_KEYS,
    "service_token": Permission.READ_API_KEYS,
    "personal_token": Permission.READ_API_KEYS,
    "user_key": Permission.READ_API_KEYS,
    "user_credential": Permission.READ_API_KEYS,
    "member": Permission.READ_MEMBERS,
    "invitation": Permission.READ_MEMBERS,
    "grant": Permission.READ_MEMBERS,
    "role": Permission.READ_MEMBERS,
    "user": Permission.READ_MEMBERS,
    "user_group": Permission.READ_MEMBERS,
    "allocation": Permission.READ_WORK_ITEMS,
    "lock": Permission.READ_RUNS,
    "run_slots": Permission.READ_RUNS,
    "mail": Permission.READ_PROCESSES,
    "handshake": Permission.READ_PROCESSES,
    "user_files": Permission.READ_PACKAGES,
    "insight": Permission.READ_RUNS,
    "statistics": Permission.READ_RUNS,
    "signing_key": Permission.READ_AUDIT,
    "backup": Permission.READ_AUDIT,
    "saved_view": None,
    "workspace": None,
    "organization": None,
}
"""With which permission one may hear of a noun; None: whoever is in the workspace. Others are heard of by auditors."""


class Topic(Struct, frozen=True):
    """Of what somebody wants to hear."""

    noun: str
    id: UUID | None = None

    def __str__(self) -> str:
        return self.noun if self.id is None else f"{self.noun}-{self.id}"


class News(Struct, frozen=True, kw_only=True):
    """Something that happened, as far as it matters to who watches."""

    noun: str
    organization_id: OrganizationId
    workspace_id: WorkspaceId | None
    process_id: UUID | None
    run_id: UUID | None
    step_run_id: UUID | None
    work_item_id: UUID | None
    subject_id: UUID | None

    def topics(self) -> set[str]:
        """The names of all topics that it is of."""
        belongs = [
            ("process", self.process_id),
            ("run", self.run_id),
            ("step_run", self.step_run_id),
            ("work_item", self.work_item_id),
            (self.noun, self.subject_id),
        ]
        own = {f"{noun}-{each}" for noun, each in belongs if each is not None}
        return {self.noun, *own}
