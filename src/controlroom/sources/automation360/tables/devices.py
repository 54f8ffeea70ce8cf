"""Robots (devices), the users that bots run as, and pools."""

from typing import Final

from controlroom.sources.automation360.tables.parts import (
    MADE,
    as_json,
    count,
    device,
    moment,
    number,
    of,
    own_id,
    text,
)
from controlroom.sources.columns import INTEGER, ITSELF, PARENT, Column, Table, child

ROBOT_USERS: Final = Table(
    name="robot_users",
    description="Whose default device a device is.",
    columns=(
        Column("robot_id", INTEGER, "The device; `robots.id`.", at=f"{PARENT}.id", read=number),
        own_id("user_id", what="The user; `users.id`."),
        text("username", "Their name."),
        text("domain", "Their domain."),
    ),
    key=("robot_id", "user_id"),
)

ROBOTS: Final = Table(
    name="robots",
    description="Devices: the machines that bots run on (Bot Runners).",
    columns=(
        own_id(),
        text("host_name", "Its name."),
        text("nickname", "Another name of it."),
        text("description", "What is said of it."),
        text("status", "CONNECTED, DISCONNECTED or OFFLINE."),
        text("type", "SINGLE_USER or MULTIPLE_USERS."),
        text("pool_name", "The pool that it is in; `pools.name`."),
        text("lifespan", "PERSISTENT or TEMPORARY."),
        text("installation_type", "SYSTEM_WIDE or USER_SPECIFIC."),
        text("host_type", "What kind of host it is."),
        text("deployment_type", "REGULAR or RDP."),
        text("bot_agent_version", "The version of the program on it."),
        count("bot_agent_debug_api_version", "Of the interface for debugging."),
        count("max_count", "How many bots it runs at once."),
        text("log_level", "How much it logs."),
        as_json("log_configuration", "How it logs."),
        of("updated_by", "Who changed it last; `users.id`."),
        moment("updated_on", "When it was heard of or changed last."),
    ),
    key=("id",),
    children=(child("defaultUsers", ROBOT_USERS, parent=("robot_id",)),),
)

RUN_AS_USERS: Final = Table(
    name="run_as_users",
    description="The users as whom bots can run unattended, with their default devices.",
    columns=(
        own_id(what="The user; `users.id`."),
        text("username", "Their name."),
        text("device", "The name of their default device, or that it is picked at run time."),
        Column("device_id", INTEGER, "Their default device; `robots.id`.", at="deviceId", read=device),
    ),
    key=("id",),
)

POOL_DEVICES: Final = Table(
    name="pool_devices",
    description="Which devices are in a pool.",
    columns=(
        Column("pool_id", INTEGER, "The pool; `pools.id`.", at=f"{PARENT}.id", read=number),
        Column("device_id", INTEGER, "The device; `robots.id`.", at=ITSELF, read=number),
    ),
    key=("pool_id", "device_id"),
)
POOL_OWNERS: Final = Table(
    name="pool_owners",
    description="Who owns a pool.",
    columns=(
        Column("pool_id", INTEGER, "The pool; `pools.id`.", at=f"{PARENT}.id", read=number),
        Column("user_id", INTEGER, "The user; `users.id`.", at=ITSELF, read=number),
    ),
    key=("pool_id", "user_id"),
)
POOL_CONSUMERS: Final = Table(
    name="pool_consumers",
    description="Which roles may run bots on a pool.",
    columns=(
        Column("pool_id", INTEGER, "The pool; `pools.id`.", at=f"{PARENT}.id", read=number),
        Column("role_id", INTEGER, "The role; `roles.id`.", at=ITSELF, read=number),
    ),
    key=("pool_id", "role_id"),
)

POOLS: Final = Table(
    name="pools",
    description="Device pools.",
    columns=(
        own_id(),
        text("name", "Its name."),
        text("description", "What is said of it."),
        text("status", "CONNECTED, DISCONNECTED or OFFLINE."),
        text("detailed_status", "Whether all of its devices are, or some."),
        text("pool_type", "BASIC or MAC_OS."),
        text("automation_scheme", "ROUND_ROBIN or PRIORITY: how automations share it."),
        text("time_slice", "For how long one has it in turn."),
        text("time_slice_unit", "In seconds, minutes or hours."),
        count("device_count", "How many devices it has."),
        count("automation_count", "How many automations run on it."),
        *MADE,
        text("tenant_uuid", "The Control Room's own id."),
    ),
    key=("id",),
    children=(
        child("deviceIds", POOL_DEVICES, parent=("pool_id",)),
        child("ownerIds", POOL_OWNERS, parent=("pool_id",)),
        child("consumerIds", POOL_CONSUMERS, parent=("pool_id",)),
    ),
    passed_over=frozenset({"tenantId"}),
)
