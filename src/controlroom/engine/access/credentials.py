"""From a credential to the actor it stands for.

What was found is remembered for at most `REMEMBERED` (DESIGN §8), also that nothing was found; so a deleted key may
work for so long on the other servers. Uses are counted in memory and written by `flush_uses` every few seconds.
"""

import hmac
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Generic, Protocol, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from msgspec import Struct

from controlroom.engine.access import store
from controlroom.engine.access.errors import WrongCredential
from controlroom.engine.access.model import Actor, WorkerActor
from controlroom.engine.access.rates import Buckets, Rate
from controlroom.engine.access.service_tokens import store as service_tokens
from controlroom.engine.access.service_tokens.model import PREFIX
from controlroom.engine.access.users import actors, pairs
from controlroom.engine.access.uses import Use, Used, flush_days, noted, uses_of
from controlroom.engine.engine import Engine
from controlroom.ids import UserCredentialId
from controlroom.keys import Keys, is_well_formed
from controlroom.postgres.database import Statements

API_KEY_PREFIX = "crk"
"""Without an underscore: clients expect keys to be alphanumeric all through."""

REMEMBERED = timedelta(seconds=5)

_REMEMBERED_AT_MOST = 10_000
_TOO_OFTEN = "this API key asks too often"

TO_WORK = "worker"
"""For what a worker's token is used: it opens the workers' doors as a whole, and no permission by itself."""

A = TypeVar("A")


class Memory(Generic[A]):
    """What was looked up lately: bounded, the longest unused is forgotten first. None: looked up, and not there."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, at_most: int = _REMEMBERED_AT_MOST) -> None:
        self._clock = clock
        self._at_most = at_most
        self._found: OrderedDict[bytes, tuple[float, A | None]] = OrderedDict()
        self.generation = 0
        """Raised whenever everything is forgotten."""

    def get(self, lookup: bytes) -> tuple[A | None] | None:
        """What was found, in a tuple; None if it is not remembered."""
        entry = self._found.get(lookup)
        if entry is None:
            return None
        until, found = entry
        if self._clock() >= until:
            del self._found[lookup]
            return None
        self._found.move_to_end(lookup)
        return (found,)

    def put(self, lookup: bytes, found: A | None, *, generation: int) -> None:
        """Remember what was looked up in that generation; not if everything was forgotten while it was."""
        if generation != self.generation:
            return
        self._found[lookup] = (self._clock() + REMEMBERED.total_seconds(), found)
        self._found.move_to_end(lookup)
        if len(self._found) > self._at_most:
            self._found.popitem(last=False)

    def forget(self) -> None:
        """Forget everything: something that grants rights has changed."""
        self._found.clear()
        self.generation += 1


class UseCounter:
    """Uses of credentials that are not written yet."""

    def __init__(self) -> None:
        self._uses: Counter[UUID] = Counter()

    def count(self, credential: UUID, times: int = 1) -> None:
        """One was used."""
        self._uses[credential] += times

    def take(self) -> Counter[UUID]:
        """All uses until now; the caller writes them, or gives them back by `count`."""
        taken, self._uses = self._uses, Counter()
        return taken


class _Process:
    """What this process remembers of the credentials of one control room."""

    def __init__(self) -> None:
        self.actors: Memory[Actor] = Memory()
        """Of credentials that stand for themselves."""
        self.workers: Memory[WorkerActor] = Memory()
        self.uses = UseCounter()
        self.rates = Buckets()


# Why by the keys: they are the control room's own, one object a process; tests have several rooms in one process.
_processes: WeakKeyDictionary[Keys, _Process] = WeakKeyDictionary()


def _process(engine: Engine) -> _Process:
    known = _processes.get(engine.keys)
    if known is None:
        known = _processes[engine.keys] = _Process()
    return known


def forget(engine: Engine) -> None:
    """Forget who was authenticated, here and now: call it after a commit that takes rights away."""
    process = _process(engine)
    process.actors.forget()
    process.workers.forget()


def forget_workers(engine: Engine) -> None:
    """Forget what workers serve, likewise."""
    _process(engine).workers.forget()


async def authenticate_api_key(engine: Engine, value: str) -> Actor:
    """The actor of an API key's value, and one use more of it. Raises Unauthenticated, Throttled."""
    return await _authenticate(engine, value, API_KEY_PREFIX, store.api_key_by_lookup, "API key")


async def authenticate_service_token(engine: Engine, value: str) -> Actor:
    """The actor of a service token's value, likewise."""
    return await _authenticate(engine, value, PREFIX, service_tokens.service_token_by_lookup, "token")


class _Found(Protocol):
    """A credential that stands for itself."""

    @property
    def lookup(self) -> bytes: ...

    def to_actor(self) -> Actor: ...


async def _authenticate(
    engine: Engine,
    value: str,
    prefix: str,
    find: Callable[[Statements, bytes], Awaitable[_Found | None]],
    what: str,
) -> Actor:
    process = _process(engine)
    memory, lookup = process.actors, engine.keys.lookup(value)
    remembered = memory.get(lookup)
    if remembered is None:
        # Nobody can look up guesses in our database: without the right checksum there is no statement at all.
        if not (value.startswith(prefix) and is_well_formed(value)):
            raise WrongCredential(what)
        generation = memory.generation
        found = await find(engine.database, lookup)
        actor = found.to_actor() if found and hmac.compare_digest(found.lookup, lookup) else None
        actor = None if actor is None or actor.id is None else noted(engine, actor, actor.id)
        memory.put(lookup, actor, generation=generation)
    else:
        (actor,) = remembered
    if actor is None or actor.id is None:
        raise WrongCredential(what)
    limits = engine.limits
    process.rates.take(actor.id, Rate(limits.requests_per_second, limits.requests_burst, _TOO_OFTEN))
    process.uses.count(actor.id)
    return actor


async def authenticate_worker(engine: Engine, token: str) -> WorkerActor:
    """The worker of a lasting token. Raises Unauthenticated."""
    memory = _process(engine).workers
    lookup = engine.keys.lookup(token)
    remembered = memory.get(lookup)
    if remembered is None:
        if not is_well_formed(token):
            raise WrongCredential("worker token")
        generation = memory.generation
        found = await store.worker_by_lookup(engine.database, lookup)
        memory.put(lookup, found, generation=generation)
    else:
        (found,) = remembered
    if found is None:
        raise WrongCredential("worker token")
    uses_of(engine).count(Use(found.organization_id, None, Used.WORKER, found.worker_id, TO_WORK))
    return found


class Signer(Struct, frozen=True):
    """A user, and the pair with which they signed."""

    actor: Actor
    credential: UserCredentialId


async def authenticate_user(engine: Engine, identifier: str, is_signed_by: Callable[[bytes], bool]) -> Signer:
    """The user of a credential pair who has signed a request, and the pair.

    `is_signed_by` gets the secret and says whether the signature is made by it; the secret goes nowhere else. Raises
    Unauthenticated for an unknown identifier, a wrong signature and a disabled user.
    """
    found = await actors.credential_by_identifier(engine.database, identifier)
    if found is None:
        raise WrongCredential("signature")
    secret = engine.keys.unseal(found.sealed, place=pairs.place_of_user_credential(found.credential))
    if not is_signed_by(secret):
        raise WrongCredential("signature")
    _process(engine).uses.count(found.credential)
    return Signer(noted(engine, found.to_actor(), found.credential), found.credential)


def count_use(engine: Engine, credential: UUID) -> None:
    """One use more of a credential that was looked up elsewhere."""
    _process(engine).uses.count(credential)


async def flush_uses(engine: Engine) -> int:
    """Write the counted uses; of how many credentials. What cannot be written now is kept for the next time."""
    counter = _process(engine).uses
    uses = counter.take()
    try:
        if uses:
            await store.add_uses(engine.database, uses)
    except BaseException:
        for credential, times in uses.items():
            counter.count(credential, times)
        raise
    return len(uses) + await flush_days(engine)
