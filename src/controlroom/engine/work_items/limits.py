"""How large a payload may be, and what may be in it: asked at every door by which one comes in."""

import asyncio
from typing import Final

import msgspec
from msgspec import Raw

from controlroom import json_limits
from controlroom.engine.engine import Engine
from controlroom.engine.work_items.errors import PayloadTooLarge
from controlroom.engine.work_items.schema_rules import LONGEST_SCHEMA
from controlroom.errors import Invalid

_AT_ONCE: Final = 1000
"""Payloads that are looked at before others have their turn."""


async def check_payload(engine: Engine, payload: Raw | None) -> None:
    """Raise PayloadTooLarge, JsonTooComplex or NumberUnreadable for what could not be kept, or not be read back.

    The limit is that of what comes and of what is told, which may be more (see `json_limits`).
    """
    if payload is None:
        return
    limit = engine.limits.payload_bytes
    size = await _size(payload, limit)
    if size > limit:
        raise PayloadTooLarge(size, limit)


async def check_schema_text(schema: Raw) -> None:
    """Likewise for the JSON schema of a queue, before anybody thinks about what it means."""
    if await _size(schema, LONGEST_SCHEMA) > LONGEST_SCHEMA:
        raise Invalid(f"a schema has at most {LONGEST_SCHEMA:,} bytes", code="SCHEMA_INVALID")


async def check_payloads(engine: Engine, array: Raw) -> None:
    """Likewise for each of a JSON array of payloads."""
    if len(memoryview(array)) <= engine.limits.payload_bytes // 4:  # so they are looked at all at once
        text = bytes(array)
        json_limits.check_nesting(text, deepest=json_limits.DEEPEST + 1)
        if await _told(text, engine.limits.payload_bytes) <= engine.limits.payload_bytes:
            return
    for number, payload in enumerate(msgspec.json.decode(array, type=list[Raw])):
        await check_payload(engine, payload)
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)


async def _size(json: Raw, limit: int) -> int:
    """The bytes of a JSON text as it came, or as it is told, whichever are more."""
    text = bytes(json)
    if len(text) > limit:
        return len(text)
    json_limits.check_nesting(text)
    return await _told(text, limit)


async def _told(text: bytes, limit: int) -> int:
    told = 0
    for more in json_limits.told_sizes(text, limit=limit):
        if told:
            await asyncio.sleep(0)
        told += more
    return told
