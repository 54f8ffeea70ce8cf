"""Identifiers: one type a noun, version 7 UUIDs that sort by the time of their making.

The types stand together because a row names its neighbours: a step run knows its run, its step and its worker.
"""

from datetime import UTC, datetime
from typing import NewType
from uuid import UUID

from uuid_utils import compat

OrganizationId = NewType("OrganizationId", UUID)
WorkspaceId = NewType("WorkspaceId", UUID)
UserId = NewType("UserId", UUID)
RoleId = NewType("RoleId", UUID)
GrantId = NewType("GrantId", UUID)
CodePolicyId = NewType("CodePolicyId", UUID)
CodeAnalysisId = NewType("CodeAnalysisId", UUID)
UserGroupId = NewType("UserGroupId", UUID)
UserCredentialId = NewType("UserCredentialId", UUID)
UserKeyId = NewType("UserKeyId", UUID)
PersonalTokenId = NewType("PersonalTokenId", UUID)
ServiceTokenId = NewType("ServiceTokenId", UUID)
InvitationId = NewType("InvitationId", UUID)
SessionId = NewType("SessionId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)
PackageId = NewType("PackageId", UUID)
PackageVersionId = NewType("PackageVersionId", UUID)
TaskId = NewType("TaskId", UUID)
ProcessId = NewType("ProcessId", UUID)
StepId = NewType("StepId", UUID)
QueueId = NewType("QueueId", UUID)
RunId = NewType("RunId", UUID)
StepRunId = NewType("StepRunId", UUID)
PhaseId = NewType("PhaseId", UUID)
WorkItemId = NewType("WorkItemId", UUID)
FileId = NewType("FileId", UUID)
ArtifactId = NewType("ArtifactId", UUID)
UploadId = NewType("UploadId", UUID)
SecretId = NewType("SecretId", UUID)
ModelProviderId = NewType("ModelProviderId", UUID)
ModelConnectionId = NewType("ModelConnectionId", UUID)
LockerId = NewType("LockerId", UUID)
SharedSecretId = NewType("SharedSecretId", UUID)
AttributeId = NewType("AttributeId", UUID)
SecretValueId = NewType("SecretValueId", UUID)
AssetId = NewType("AssetId", UUID)
WorkerId = NewType("WorkerId", UUID)
WorkerGroupId = NewType("WorkerGroupId", UUID)
LinkTokenId = NewType("LinkTokenId", UUID)
ScheduleId = NewType("ScheduleId", UUID)
EmailTriggerId = NewType("EmailTriggerId", UUID)
ChainId = NewType("ChainId", UUID)
QueueConsumerId = NewType("QueueConsumerId", UUID)
QueueJobId = NewType("QueueJobId", UUID)
ItemJobId = NewType("ItemJobId", UUID)
ItemModelId = NewType("ItemModelId", UUID)
ItemAttributeId = NewType("ItemAttributeId", UUID)
WebhookId = NewType("WebhookId", UUID)
NotificationId = NewType("NotificationId", UUID)
SavedViewId = NewType("SavedViewId", UUID)
ProvisionerId = NewType("ProvisionerId", UUID)
DeliveryId = NewType("DeliveryId", UUID)
AssistantId = NewType("AssistantId", UUID)
AssistantRunId = NewType("AssistantRunId", UUID)
AssistantArtifactId = NewType("AssistantArtifactId", UUID)
AllocationId = NewType("AllocationId", UUID)
TriggerMappingId = NewType("TriggerMappingId", UUID)
ConnectionId = NewType("ConnectionId", UUID)
LoginId = NewType("LoginId", UUID)
ProfileId = NewType("ProfileId", UUID)
ExtendedAttributesId = NewType("ExtendedAttributesId", UUID)
TargetId = NewType("TargetId", UUID)
VariableId = NewType("VariableId", UUID)


def uuid7() -> UUID:
    """A new version 7 UUID (RFC 9562): a plain `uuid.UUID`, so that everything that knows those knows it."""
    return compat.uuid7()


def first_id_at(moment: datetime) -> UUID:
    """The least id that can have been made at a moment: what was made since then has a greater one."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


_LATEST = 253_402_300_799_000  # the last second of the year 9999


def made_at(made: UUID) -> datetime:
    """When an id was made, by the clock of who made it."""
    return datetime.fromtimestamp(min(made.int >> 80, _LATEST) / 1000, UTC)


def as_uuid(reference: UUID | str) -> UUID | None:
    """The reference as an id, if it is one or is written as one: for look-ups by id or name."""
    if isinstance(reference, UUID):
        return reference
    try:
        return UUID(reference)
    except ValueError:
        return None
