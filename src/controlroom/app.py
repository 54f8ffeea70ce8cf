"""The composition root: settings become an engine, loops and one ASGI app. The only module that knows everything."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from controlroom.backups import making
from controlroom.border import objects, start
from controlroom.border.dispatcher import App, Dispatcher, Mount
from controlroom.border.health import Check, Readiness, healthz
from controlroom.border.hosts import Hosts
from controlroom.border.insiders import Insiders
from controlroom.border.itself import Itself
from controlroom.border.long_polls import Holds
from controlroom.border.metrics import Metrics
from controlroom.border.oidc import Provider
from controlroom.border.origin import Origins
from controlroom.border.published_keys import PublishedKeys
from controlroom.border.ticks import Ticks
from controlroom.dialects.automation360 import app as automation360
from controlroom.dialects.automation360 import messages as automation360_messages
from controlroom.dialects.automation360 import promotion
from controlroom.dialects.automation360.messages import Automation360Grammar
from controlroom.dialects.dbt_cloud import app as dbt_cloud
from controlroom.dialects.dbt_cloud import links
from controlroom.dialects.dbt_cloud import messages as dbt_cloud_messages
from controlroom.dialects.dbt_cloud.messages import DbtCloudGrammar
from controlroom.dialects.robocorp import app as robocorp
from controlroom.dialects.robocorp import codes, messages
from controlroom.dialects.robocorp.messages import RobocorpGrammar
from controlroom.dialects.robocorp.provisioner_requests import ProvisionerRequests
from controlroom.dialects.robot_api import app as robot_api
from controlroom.dialects.worker_api import app as worker_api
from controlroom.engine.access import signing_keys
from controlroom.engine.access.credentials import flush_uses, forget_workers
from controlroom.engine.access.model import Actor, ActorKind
from controlroom.engine.callers import Door, Kind, resolve
from controlroom.engine.engine import Engine
from controlroom.engine.messages import Grammars
from controlroom.engine.nudges.feed import Feed
from controlroom.engine.remarks import Remarks
from controlroom.engine.tenancy import Room as EveryTenant
from controlroom.engine.wakes import Topic, Wakes
from controlroom.engine.workspaces import first_start, room_settings
from controlroom.engine.workspaces.model import FirstStart
from controlroom.errors import Invalid, Unauthenticated, Unavailable
from controlroom.keys import Keys
from controlroom.maintenance import loops as maintenance
from controlroom.maintenance.mail import mail_server
from controlroom.maintenance.senders import Outside
from controlroom.maintenance.write_probe import WriteProbe
from controlroom.objects.links import Links
from controlroom.objects.store import ObjectStore
from controlroom.outgoing import Outgoing
from controlroom.postgres.database import Database
from controlroom.postgres.migrate import migrate
from controlroom.postgres.notify import Listener, Notifier
from controlroom.robots.exclude_newer import parse_moment
from controlroom.scratch import Scratch
from controlroom.settings import Settings
from controlroom.ui import app as console
from controlroom.ui import static_files
from controlroom.ui.around import Around
from controlroom.ui.backups import Backups

GRAMMARS: Grammars = {
    messages.GRAMMAR: RobocorpGrammar(),
    automation360_messages.GRAMMAR: Automation360Grammar(),
    dbt_cloud_messages.GRAMMAR: DbtCloudGrammar(),
}
"""In whose words webhooks and callbacks are told, by the names that subscriptions are stored with."""

_INSIDERS = Door[Actor](frozenset({Kind.API_KEY, Kind.SESSION}), Kind.API_KEY)
"""Who may be told how the room works; of sessions, those of admins."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Room:
    """A server's parts. `close` ends them in the reverse order of their making."""

    settings: Settings
    engine: Engine
    origins: Origins
    metrics: Metrics
    loops: asyncio.Task[None]
    """What the server does by itself; ends only with the room, or by a bug."""
    writes: WriteProbe
    outgoing: Outgoing
    """The one client for requests that leave the room."""
    feed: Feed
    """What tells those who watch pages that something has changed."""
    _parts: AsyncExitStack = field(repr=False)
    ticks: Ticks | None = None
    """When the loops of this process have ticked last."""
    holds: Holds = field(default_factory=Holds)
    """Requests of workers, and of who waits for a run; `release` them before the server stops, or it waits for them."""

    def at_its_end(self, call: Callable[[], None]) -> None:
        """Have something called when the room is closed, before its parts end."""
        self._parts.callback(call)

    async def close(self) -> None:
        """End loops, wake-ups and database; may be repeated."""
        await self._parts.aclose()


async def build(settings: Settings, *, own_worker_token: str | None = None) -> Room:
    """Open everything that a server needs, migrate the database, and on the first start make what a room needs.

    The settings name a database: the command line starts the private one. Raises Invalid for settings that contradict,
    Unavailable for parts that do not answer.
    """
    if settings.database_url is None:
        raise Invalid("a server needs the address of a database", code="SETTINGS")
    await migrate(settings.database_url)
    async with AsyncExitStack() as parts:
        database = await Database.connect(settings.database_url, max_size=settings.database_connections)
        parts.push_async_callback(database.close)
        notifier, listener = Notifier(database), Listener(settings.database_url)
        await notifier.start()
        parts.push_async_callback(notifier.stop)
        wakes, remarks = Wakes(notifier, listener), Remarks(notifier, listener)
        parts.callback(wakes.close)
        parts.callback(remarks.close)
        await listener.start()
        parts.push_async_callback(listener.stop)
        keys, scratch = await _keys(settings, database), Scratch(settings.data / "scratch")
        await asyncio.to_thread(scratch.sweep)
        engine = Engine(
            database=database,
            objects=ObjectStore.open(settings.objects_url or settings.data / "objects"),
            keys=keys,
            links=Links(keys.link_key),
            wakes=wakes,
            remarks=remarks,
            limits=settings.limits,
            exclude_newer=parse_moment(settings.exclude_newer) if settings.exclude_newer else None,
            scratch=scratch,
            grammars=GRAMMARS,
            own_worker_token=own_worker_token,
        )
        parts.push_async_callback(engine.aside.close)
        wakes.on(Topic.SERVICE, lambda _: forget_workers(engine))
        await first_start.bootstrap(engine)
        await signing_keys.ensure(engine)
        parts.push_async_callback(_write_last_uses, engine)
        origins, metrics = Origins(settings.public_url, settings.trusted_proxies), Metrics()
        outgoing = Outgoing(settings.outgoing_allow)
        parts.push_async_callback(outgoing.close)
        mail = mail_server(settings.smtp_url, settings.mail_from)
        outside = Outside(outgoing, ProvisionerRequests(), mail, hand=promotion.hand)
        writes = WriteProbe(engine)
        feed = Feed(database, wakes, EveryTenant())
        parts.push_async_callback(feed.close)
        ticks = Ticks(metrics.loop_ticked)
        maintained = maintenance.run(engine, outside, writes, observe=ticks.observe)
        loops = asyncio.create_task(maintained, name="maintenance")
        loops.add_done_callback(_tell_why_loops_ended)
        parts.push_async_callback(_ended, loops)
        return Room(settings, engine, origins, metrics, loops, writes, outgoing, feed, parts.pop_all(), ticks=ticks)
    raise AssertionError  # the stack swallows nothing


def asgi(room: Room, *others: Mount) -> App:
    """The one ASGI app of a room: every border under one origin (DESIGN §5), and whatever else is to stand there."""
    grammar = robocorp.application(
        room.engine,
        room.origins,
        mail_domain=room.settings.mail_domain,
        holds=room.holds,
        outgoing=room.outgoing,
    )
    settings, origins, itself = room.settings, room.origins, Itself()
    around = _around(room, itself)
    control_room = automation360.application(room.engine, origins, room.holds)
    cloud = dbt_cloud.application(room.engine, origins, room.holds, is_strict=settings.strict_queries)
    static = static_files.StaticFiles()
    pages = console.application(room.engine, origins, static, room.feed, room.holds, around)
    insiders = Insiders(origins, settings.trusted_networks, partial(_whose_key, room.engine))
    hosts = Hosts(listening_at=settings.host, public_url=settings.public_url, allowed=settings.allowed_hosts)
    mounts = [
        *(Mount(prefix, grammar, is_public_api=True) for prefix in robocorp.PREFIXES),
        *(Mount(prefix, control_room, is_public_api=True) for prefix in automation360.PREFIXES),
        *(Mount(prefix, cloud, is_public_api=True) for prefix in dbt_cloud.PREFIXES),
        Mount(worker_api.PREFIX, worker_api.application(room.engine, room.holds), is_quiet=True),
        Mount(robot_api.PREFIX, robot_api.application(room.engine, origins)),
        Mount("/objects", objects.application(room.engine, codes.told), answers_head=True),
        Mount(links.PREFIX, links.page, is_quiet=True),
        Mount("/", start.for_programs(pages), is_quiet=True),
        *(Mount(prefix, pages) for prefix in console.PREFIXES if prefix != "/"),
        Mount(static_files.PREFIX, static.app, is_quiet=True),
        Mount("/healthz", healthz, is_quiet=True),
        Mount("/readyz", Readiness(_checks(room), insiders).app, is_quiet=True),
        Mount("/.well-known/jwks.json", PublishedKeys(room.engine).app, is_quiet=True),
        Mount("/metrics", insiders.only(room.metrics.app), is_quiet=True),
        *others,
    ]
    dispatcher = Dispatcher(mounts, origins=origins, metrics=room.metrics, hosts=hosts)
    room.at_its_end(dispatcher.tallies.tell)
    itself.app = dispatcher
    return itself.app


async def receive_mail(room: Room, listening: socket.socket) -> asyncio.Server:
    """Take mail for processes on a socket that listens; whoever closes the server ends it. Needs the extra `mail`."""
    from controlroom.dialects.mail.receiver import protocol  # noqa: PLC0415 - an extra, which a server does without

    settings, tls = room.settings, None
    if settings.tls_cert is not None and settings.tls_key is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(settings.tls_cert, settings.tls_key)
    connection = protocol(room.engine, settings.mail_domain, tls=tls)
    return await asyncio.get_running_loop().create_server(connection, sock=listening)


async def tell_settings(room: Room) -> None:
    """Write what this server is set to, for the parts of the room that start beside it."""
    await room_settings.tell(room.engine, room.settings)


async def differing_settings(room: Room) -> list[str]:
    """Where this part's settings differ from those of the room's servers, a sentence each."""
    return [str(each) for each in await room_settings.differences(room.engine, room.settings)]


async def founding(room: Room) -> FirstStart:
    """What the first start made, for the operator of this machine, at whichever start; see `first_start`."""
    return await first_start.first_start(room.engine)


async def _whose_key(engine: Engine, key: str) -> str:
    """Whose key may be told how the room works: any API key of it, and an admin who is logged in."""
    actor = await resolve(engine, key, _INSIDERS)
    if actor.kind is ActorKind.USER and not actor.is_admin:
        raise Unauthenticated("this is for admins")
    return f"{actor.kind.value}:{actor.id}"


def _provider(room: Room) -> Provider | None:
    """The provider of identities that the operator has named."""
    settings = room.settings
    if not settings.oidc_issuer:
        return None
    return Provider(
        room.outgoing,
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        name=settings.oidc_name,
        scopes=settings.oidc_scopes,
    )


class _Logged:
    """What a backup says of itself, in the log; what passes is not kept."""

    def __call__(self, line: str) -> None:
        log.info("backup", said=line)

    def passing(self, line: str) -> None:
        """Told while it goes on."""


def _around(room: Room, itself: Itself) -> Around:
    """What pages know of the room beside the engine."""
    settings = room.settings
    address = settings.objects_url or str(settings.data / "objects")

    async def make(file: Path) -> int:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        return await making.make(settings, file, with_key=False, tell=_Logged())

    return Around(
        itself=itself,
        mail_domain=settings.mail_domain,
        checks=_checks(room),
        ticks=room.ticks,
        objects=str(address).partition("?")[0].rpartition("@")[2],
        backups=Backups(settings.data / "backups", make),
        outgoing=room.outgoing,
        oidc=_provider(room),
        oidc_creates_users=settings.oidc_creates_users,
    )


def _checks(room: Room) -> dict[str, Check]:
    async def database() -> None:
        await room.engine.database.value("select 1")

    async def loops() -> None:
        if room.loops.done():
            raise Unavailable("the loops have ended", code="LOOPS_ENDED")

    return {
        "database": database,
        "database writes": room.writes.check,
        "objects": room.engine.objects.check,
        "loops": loops,
    }


async def _ended(loops: asyncio.Task[None]) -> None:
    loops.cancel()
    await asyncio.wait({loops})


def _tell_why_loops_ended(loops: asyncio.Task[None]) -> None:
    """Log a bug that ended the loops when it happens; the server goes on to answer, and is not ready any more."""
    if not loops.cancelled() and (bug := loops.exception()) is not None:
        log.error("the loops have ended", exc_info=bug)


async def _write_last_uses(engine: Engine) -> None:
    with suppress(Unavailable):  # the counts of the last seconds, which a killed server loses too
        await flush_uses(engine)


async def _keys(settings: Settings, database: Database) -> Keys:
    if settings.master_key is None:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = settings.data / "master.key"
    return await first_start.keys_for(database, master_key=settings.master_key, file=file)
