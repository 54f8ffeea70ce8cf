"""The engine's kinds of events as this grammar's activity types (§2.2): one table.

Clients hold the list of types closed, so that whatever has no word here is `AUDIT_UNSET_ACTIVITY_TYPE`, which is in it.
"""

from collections.abc import Mapping
from typing import Final

from controlroom.engine.lists.model import AnyOf, Filter, Not, OneOf

_OTHER: Final = "AUDIT_UNSET_ACTIVITY_TYPE"

_TYPES: Final[Mapping[str, str]] = {
    "ADD_CREDENTIAL": "secret.created shared_secret.created",
    "UPDATE_CREDENTIAL": "secret.updated user.device_login_set shared_secret.updated shared_secret.value_given "
    "shared_secret.value_changed shared_secret.value_deleted shared_secret.put_into_locker "
    "shared_secret.taken_from_locker",
    "UPDATE_CREDENTIAL_OWNERSHIP": "shared_secret.given",
    "DELETE_CREDENTIAL": "secret.deleted shared_secret.deleted",
    "READ_CREDENTIAL": "secret.read shared_secret.read shared_secret.shown shared_secret.used",
    "ADD_LOCKER": "locker.created",
    "UPDATE_LOCKER": "locker.updated locker.consumer_added locker.consumer_removed locker.member_set "
    "locker.member_removed",
    "DELETE_LOCKER": "locker.deleted",
    "ADD_ROLE": "role.created",
    "UPDATE_ROLE": "role.updated grant.created grant.deleted folder.rights_set folder.rights_cleared",
    "DELETE_ROLE": "role.deleted",
    "CREATE_USER": "user.created",
    "UPDATE_USER": "user.updated user.password_set user.default_worker_set member.added member.changed member.removed "
    "user_key.created user_key.deleted user_key.revealed",
    "DELETE_USER": "user.deleted",
    "DISABLE_USER": "user.disabled",
    "ENABLE_USER": "user.enabled",
    "LOGIN": "user.logged_in",
    "LOGOUT": "user.logged_out",
    "CREATE_AUTOMATION": "schedule.created process.created trigger_mapping.put",
    "UPDATE_AUTOMATION": "schedule.updated process.updated",
    "DELETE_AUTOMATION": "schedule.deleted process.deleted trigger_mapping.deleted",
    "AUTOMATION_MISFIRED": "schedule.missed schedule.skipped schedule.failed",
    "DEPLOYMENT_AUTOMATION": "run.started",
    "RUN_AUTOMATION": "step_run.started",
    "RUN_BOT_PAUSED": "step_run.paused",
    "RUN_BOT_RESUMED": "step_run.resumed",
    "RUN_BOT_STOPPED": "run.stop_requested step_run.stop_requested",
    "RUN_BOT_ENDED": "step_run.completed step_run.failed run.completed run.unresolved",
    "RUN_BOT_DISCONNECTED": "step_run.worker_lost",
    "MOVE_TO_HISTORY": "run.deleted",
    "BOT_RUNNER_SESSION": "worker.linked worker.unlinked worker.renamed",
    "UPLOAD_BOT": "package.created package.refused file.became_package",
    "EDIT_BOT": "package.version_added package.edited package.labelled package.unlabelled",
    "DELETE_BOT": "package.deleted",
    "UPLOAD_FILE": "file.created file.version_added file.copied file.edited file.labelled file.checked_in",
    "DELETE_FILE": "file.deleted",
    "CREATE_FOLDER": "folder.created workspace.created",
    "RENAME_FOLDER": "folder.edited workspace.renamed",
    "DELETE_FOLDER": "folder.deleted workspace.deleted",
    "CHECKOUT": "file.checked_out",
    "UNDO_CHECKOUT": "file.unlocked",
    "ADD_MANUAL_DEPENDENCY": "file.dependencies_set",
    "EXPORT_BOT_FILES_API": "transfer.export_requested transfer.export_completed transfer.export_failed "
    "transfer.promotion_requested transfer.promotion_completed transfer.promotion_failed",
    "IMPORT_BOT_FILES_API": "transfer.import_requested transfer.import_completed transfer.import_failed",
    "VCS_SETTING": "package_source.set package_source.removed package_source.failed",
    "POOL_CREATED_SUCCESSFULLY": "worker_group.created",
    "POOL_UPDATED_SUCCESSFULLY": "worker_group.renamed worker_group.worker_added worker_group.worker_removed "
    "worker_group.updated",
    "POOL_DELETED_SUCCESSFULLY": "worker_group.deleted",
    "QUEUE_CREATED": "queue.created",
    "QUEUE_UPDATED": "queue.updated queue.shared queue.unshared queue.moved queue.moved_away queue_consumer.created "
    "queue_consumer.updated queue_consumer.deleted item_model.created item_model.deleted",
    "QUEUE_DELETED": "queue.deleted",
    "QUEUE_EXPORT": "queue.exported",
    "QUEUE_IMPORT": "queue.imported",
    "WLM_FILE_UPLOADED": "queue.file_uploaded",
    "WLM_LOAD_WORKITEMS": "queue.loaded",
    "EDIT_SETTINGS": "retention.changed asset.created asset.updated asset.deleted code_policy.created "
    "code_policy.updated code_policy.deleted code_policy.given allocation.put allocation.released",
    "EMAIL_SETTING": "notification.created notification.updated notification.deleted",
    "FIRST_ADMIN_SETTINGS": "organization.created",
}
"""By type, the kinds of which it tells."""

KINDS: Final = frozenset(kind for kinds in _TYPES.values() for kind in kinds.split())
_TYPE_OF: Final = {kind: type_ for type_, kinds in _TYPES.items() for kind in kinds.split()}
_FAILURES: Final = (
    *("run.unresolved", "step_run.failed", "step_run.worker_lost", "schedule.failed", "schedule.missed"),
    *("transfer.export_failed", "transfer.import_failed", "transfer.promotion_failed"),
    *("delivery.given_up", "package_source.failed", "package.refused", "chain.failed"),
)

ACTIVITY_TYPES: Final[Mapping[str, Filter]] = {
    **{type_: OneOf("kind", tuple(kinds.split())) for type_, kinds in _TYPES.items()},
    _OTHER: Not(OneOf("kind", tuple(_TYPE_OF))),
}
"""Which events are of a type."""

STATUSES: Final[Mapping[str, Filter]] = {
    "Successful": Not(OneOf("kind", _FAILURES)),
    "Unsuccessful": OneOf("kind", _FAILURES),
    "Unknown": AnyOf(()),
}
"""Which events tell of a success, by their kind."""


def activity_type(kind: str) -> str:
    """The type of an event."""
    return _TYPE_OF.get(kind, _OTHER)


def status(kind: str) -> str:
    """Whether an event tells of a success."""
    return "Unsuccessful" if kind in _FAILURES else "Successful"
