"""The engine's kinds of events as this grammar's activity types (§2.2): one table.

Clients hold the list of types closed, so that whatever has no word here is `AUDIT_UNSET_ACTIVITY_TYPE`, which is in it.
"""

from collections.abc import Mapping
from typing import Final

from controlroom.engine.lists.model import AnyOf, Filter, Not, OneOf

_OTHER: Final = "AUDIT_UNSET_ACTIVITY_TYPE"

_TYPES: Final[Mapping[str, str]] = {
    "ADD_CREDENTIAL": "secret.created shared_secret.created",
    "UPDATE_CREDENTIAL": "secret.updated shared_secret.updated shared_secret.value_given shared_secret.value_changed "
    "shared_secret.value_deleted",
    "UPDATE_CREDENTIAL_OWNERSHIP": "shared_secret.given",
    "DELETE_CREDENTIAL": "secret.deleted shared_secret.deleted",
    "READ_CREDENTIAL": "secret.read shared_secret.read shared_secret.shown shared_secret.used",
    "ADD_LOCKER": "locker.created",
    "UPDATE_LOCKER": "locker.updated locker.member_set locker.member_removed locker.consumer_added "
    "locker.consumer_removed shared_secret.put_into_locker shared_secret.taken_from_locker",
    "DELETE_LOCKER": "locker.deleted",
    "ADD_ROLE": "role.created",
    "UPDATE_ROLE": "role.updated grant.created grant.deleted",
    "DELETE_ROLE": "role.deleted",
    "CREATE_USER": "user.created",
    "UPDATE_USER": "user.updated user.password_set user.default_device_set user.default_device_unset member.added "
    "member.changed member.removed",
    "DELETE_USER": "user.deleted",
    "DISABLE_USER": "user.disabled",
    "ENABLE_USER": "user.enabled",
    "LOGIN": "user.logged_in",
    "LOGOUT": "user.logged_out",
    "CREATE_AUTOMATION": "schedule.created",
    "UPDATE_AUTOMATION": "schedule.updated",
    "DELETE_AUTOMATION": "schedule.deleted",
    "ACTIVATE_AUTOMATION": "schedule.activated queue_consumer.activated queue_consumer.resumed",
    "DEACTIVATE_AUTOMATION": "schedule.deactivated queue_consumer.deactivated queue_consumer.paused",
    "AUTOMATION_MISFIRED": "schedule.misfired schedule.skipped",
    "DEPLOYMENT_AUTOMATION": "run.started",
    "EXECUTE_AUTOMATION": "schedule.fired",
    "RUN_AUTOMATION": "step_run.started",
    "RUN_BOT_PAUSED": "step_run.paused",
    "RUN_BOT_RESUMED": "step_run.resumed",
    "RUN_BOT_STOPPED": "step_run.stopped run.stop_requested",
    "RUN_BOT_ENDED": "step_run.completed step_run.failed run.completed run.unresolved",
    "RUN_BOT_DISCONNECTED": "step_run.worker_lost",
    "MOVE_TO_HISTORY": "run.deleted",
    "BOT_RUNNER_SESSION": "worker.linked worker.unlinked worker.renamed",
    "UPLOAD_BOT": "package.created",
    "EDIT_BOT": "package.version_added package.edited package.labelled package.unlabelled",
    "DELETE_BOT": "package.deleted",
    "DOWNLOAD_BOT": "package.downloaded",
    "UPLOAD_FILE": "file.created file.version_added",
    "DELETE_FILE": "file.deleted",
    "DOWNLOAD_FILE": "file.downloaded",
    "CREATE_FOLDER": "folder.created workspace.created",
    "RENAME_FOLDER": "folder.renamed workspace.renamed",
    "DELETE_FOLDER": "folder.deleted workspace.deleted",
    "CHECKOUT": "file.locked file.checked_out",
    "UNDO_CHECKOUT": "file.unlocked file.checkout_undone",
    "ADD_MANUAL_DEPENDENCY": "dependency.created",
    "REMOVE_MANUAL_DEPENDENCY": "dependency.deleted",
    "EXPORT_BOT_FILES_API": "export.created",
    "IMPORT_BOT_FILES_API": "import.created",
    "VCS_SETTING": "package_source.set package_source.removed",
    "POOL_CREATED_SUCCESSFULLY": "worker_group.created",
    "POOL_UPDATED_SUCCESSFULLY": "worker_group.updated worker_group.renamed worker_group.worker_added "
    "worker_group.worker_removed",
    "POOL_DELETED_SUCCESSFULLY": "worker_group.deleted",
    "QUEUE_CREATED": "queue.created",
    "QUEUE_UPDATED": "queue.updated queue_consumer.created queue_consumer.updated queue_consumer.deleted",
    "QUEUE_DELETED": "queue.deleted",
    "QUEUE_EXPORT": "queue.exported",
    "QUEUE_IMPORT": "queue.imported",
    "WLM_FILE_UPLOADED": "queue.file_uploaded",
    "ALLOCATE_LICENSE": "user.licences_changed",
    "EDIT_SETTINGS": "retention.changed asset.created asset.updated asset.deleted",
    "EMAIL_SETTING": "notification.created notification.updated notification.deleted",
}
"""By type, the kinds of which it tells."""

_TYPE_OF: Final = {kind: type_ for type_, kinds in _TYPES.items() for kind in kinds.split()}
_FAILURES: Final = (
    "run.unresolved",
    "step_run.failed",
    "step_run.worker_lost",
    "delivery.given_up",
    "package_source.failed",
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
