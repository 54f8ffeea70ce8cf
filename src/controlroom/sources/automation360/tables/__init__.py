"""The tables of a Control Room, and where in its answers their columns stand."""

from typing import Final

from controlroom.sources.automation360.tables.audit import AUDIT
from controlroom.sources.automation360.tables.devices import POOLS, ROBOTS, RUN_AS_USERS
from controlroom.sources.automation360.tables.executions import DEPLOYMENTS, EXECUTION_OUTPUTS, EXECUTIONS
from controlroom.sources.automation360.tables.figures import ACC_BOTS, ACC_GROUPS, ACC_OVERVIEW, ACC_RUN_DURATIONS
from controlroom.sources.automation360.tables.people import ROLES, USERS
from controlroom.sources.automation360.tables.queues import (
    QUEUE_AUTOMATIONS,
    QUEUES,
    WORK_ITEM_MODELS,
    WORK_ITEM_PAYLOADS,
    WORK_ITEMS,
)
from controlroom.sources.automation360.tables.repository import (
    AUTOMATION_DETAILS,
    AUTOMATIONS,
    BOT,
    FOLDER,
    FOLDERS,
    HEADLESS,
)
from controlroom.sources.automation360.tables.schedules import SCHEDULES
from controlroom.sources.automation360.tables.vault import CREDENTIALS, LOCKERS

__all__ = [
    "ACC_BOTS",
    "ACC_GROUPS",
    "ACC_OVERVIEW",
    "ACC_RUN_DURATIONS",
    "AUDIT",
    "AUTOMATIONS",
    "AUTOMATION_DETAILS",
    "BOT",
    "CREDENTIALS",
    "DEPLOYMENTS",
    "EXECUTIONS",
    "EXECUTION_OUTPUTS",
    "FOLDER",
    "FOLDERS",
    "HEADLESS",
    "LOCKERS",
    "POOLS",
    "QUEUES",
    "QUEUE_AUTOMATIONS",
    "ROBOTS",
    "ROLES",
    "RUN_AS_USERS",
    "SCHEDULES",
    "TABLES",
    "USERS",
    "WORK_ITEMS",
    "WORK_ITEM_MODELS",
    "WORK_ITEM_PAYLOADS",
]

TABLES: Final = (
    *(AUTOMATIONS, AUTOMATION_DETAILS, FOLDERS, DEPLOYMENTS, EXECUTIONS, EXECUTION_OUTPUTS, USERS, ROLES, ROBOTS),
    *(RUN_AS_USERS, POOLS, QUEUES, WORK_ITEM_MODELS, QUEUE_AUTOMATIONS, WORK_ITEMS, WORK_ITEM_PAYLOADS, SCHEDULES),
    *(CREDENTIALS, LOCKERS, AUDIT, ACC_OVERVIEW, ACC_RUN_DURATIONS, ACC_BOTS, ACC_GROUPS),
)
"""All tables of the source; lists within their rows are tables, too."""
