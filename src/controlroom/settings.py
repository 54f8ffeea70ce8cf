"""Every setting, in one place.

Read from the environment (`CONTROLROOM_*`, upper case) over a TOML file (`CONTROLROOM_CONFIG`, same names in lower
case, limits in a table `[limits]` or as `CONTROLROOM_LIMITS_…`; a table `[worker]` is for workers alone). Unknown names
in the file are an error: a misspelt limit is no limit. Unknown variables are not, because other parts have theirs;
starting warns of them (`host/variables`).
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from controlroom.errors import Invalid
from controlroom.robots.exclude_newer import parse_moment

MEGABYTE = 1024 * 1024
LONGEST_TOKEN_SECONDS = 12 * 3600
"""So long a key that signs tokens is published after its time."""
MOST_SERVERS = 64
"""Processes of one server. A guess: before more would help, it is time for another machine."""


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a single request, file or list may be."""

    payload_bytes: int = 5 * MEGABYTE
    """A work item's payload as JSON text."""
    request_bytes: int = 32 * MEGABYTE
    """A JSON request body (a run may be started with many payloads)."""
    head_bytes: int = 32 * 1024
    """A request's line and headers."""
    head_seconds: float = 10.0
    """In which a request's head must have come."""
    stranger_body_bytes: int = 64 * 1024
    """A request's body while its caller is not known."""
    stranger_body_seconds: float = 20.0
    """In which it must have come."""
    stall_seconds: float = 60.0
    """How long a known caller may send, or take, nothing in the middle of a request or an answer."""
    stranger_connections: int = 1000
    """Connections without a known caller, of one process of a server."""
    stranger_connections_per_address: int = 100
    """Those of one address (IPv6: of one /64), behind trusted proxies of the one that they name."""
    git_hook_bytes: int = 25 * MEGABYTE
    """The body of a push hook of a package that there is."""
    git_hooks: int = 4
    """Push hooks whose bodies one process of a server reads at once."""
    file_bytes: int = 2048 * MEGABYTE
    """A work item's file."""
    asset_bytes: int = 2048 * MEGABYTE
    """An asset's content."""
    inline_asset_bytes: int = 5 * MEGABYTE
    """An asset's content given in the request itself, as base64."""
    package_bytes: int = 1024 * MEGABYTE
    """A task package's zip."""
    artifact_bytes: int = 4096 * MEGABYTE
    """One artifact of a step run."""
    artifacts: int = 10_000
    """Artifacts of one attempt of a step run."""
    console_batch_bytes: int = 4 * MEGABYTE
    """One batch of console lines."""
    mail_bytes: int = 40 * MEGABYTE
    """A whole mail that comes to a process's address."""
    mails_at_once: int = 8
    """Connections that may bring a mail at once."""
    git_bytes: int = 1024 * MEGABYTE
    """What is fetched of a git repository, on disk."""
    secret_bytes: int = MEGABYTE
    """A secret's values as JSON text."""
    database_bytes: int = 2048 * MEGABYTE
    """The file of a database that is a connection's own."""
    database_versions: int = 3
    """Versions of such a file that are kept, the current one among them."""
    page_size: int = 100
    """Rows of a page when the caller does not say."""
    max_page_size: int = 1000
    """Rows of a page at most."""
    page_bytes: int = 8 * MEGABYTE
    """What is in the rows of a page at most: one whose rows are large has fewer of them, but at least one."""
    items_per_start: int = 100_000
    """Work items that one start call may bring."""
    items_per_batch: int = 10_000
    """Work items that one batch operation may name."""
    chain_depth: int = 25
    """Runs that may follow each other by chains: the end of a circle."""
    run_days: int = 90
    """How long runs are kept after their end, with their items; this and the next four: 0 is for ever."""
    assistant_run_days: int = 90
    """How long runs of assistants are kept after their end, with what they left."""
    console_days: int = 30
    """How long console output is kept after the end of its run."""
    artifact_days: int = 30
    """How long artifacts are kept after the end of their run, an assistant's too."""
    event_days: int = 180
    """How long the record of events (the audit log) is kept."""
    upload_days: int = 7
    """How long it is kept that an upload was promised or done; never less than a day."""
    requests_per_second: float = 0.0
    """Requests of one API key that one process of a server answers in the long run; 0: as many as come."""
    requests_burst: int = 100
    """Requests of one API key that may come at once, where there is such a limit."""
    organization_requests_per_minute: int = 5000
    """Requests of all callers of an organization that one process of a server answers in a minute, in the grammar
    whose clients know such a limit (dbt Cloud); 0: as many as come."""
    offset_page_rows: int = 5000
    """Rows of a page of that grammar at most; more is taken as this, and said so."""
    link_seconds: int = 3600
    """How long a signed link works."""
    token_seconds: int = 1200
    """How long a signed session's token lives (twelve hours at most) before it must be had anew."""
    user_key_days: int = 365
    """How long a user's key lets them log in, if nobody says otherwise; 0 is for ever."""
    delivery_days: int = 14
    """How long deliveries of webhooks and notifications stay in the log after their end."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a server."""

    data: Path = Path("controlroom-data")
    """Folder of everything that a server without shared parts keeps (mode 0700)."""
    host: str = "127.0.0.1"
    """Address to listen at."""
    port: int = 8170
    """Port to listen at (http)."""
    tls: bool = False
    """Serve https too (`port + 1`), with a certificate of a private CA unless files are named."""
    tls_cert: Path | None = None
    """PEM file of the certificate chain."""
    tls_key: Path | None = None
    """PEM file of its key."""
    database_url: str | None = None
    """A shared PostgreSQL (15 or later); without it a private one is started in the data folder."""
    objects_url: str | None = None
    """`s3://…`, `gs://…`, `az://…` or a folder; without it a folder in the data folder."""
    master_key: str | None = None
    """32 bytes as base64; without it the file `master.key` in the data folder."""
    public_url: str | None = None
    """How clients reach this server, when a proxy in front does not say so by the Host header."""
    allowed_hosts: tuple[str, ...] = ()
    """Names by which clients may call, besides addresses, this machine's names and that of `public_url`.
    `*.example.org` are those below one, `*` is any."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Peers (addresses and networks) whose X-Forwarded-* headers are believed."""
    trusted_networks: tuple[str, ...] = ()
    """Networks that are told how the room works (`/metrics`, what is not ready) without a key, besides this machine."""
    outgoing_allow: tuple[str, ...] = ()
    """Hosts and networks that outgoing requests may reach although they are private (SSRF guard)."""
    smtp_url: str | None = None
    """Where mail is handed in: `smtp://user:password@host:587` (STARTTLS where it is offered), `smtp+starttls://…`
    (STARTTLS or nothing), `smtps://…` (TLS from the start). Without it no mail is sent."""
    mail_from: str = "Control Room <controlroom@localhost>"
    """The sender of that mail."""
    mail_domain: str = "localhost"
    """The domain of the addresses by which mail starts processes: its MX leads to `controlroom mail`."""
    oidc_issuer: str | None = None
    """The provider of identities (OpenID Connect) by which people may log in, as it calls itself: `https://id.example`."""
    oidc_client_id: str = ""
    """As what the room is known there."""
    oidc_client_secret: str = ""
    """Its secret there; empty for a public client."""
    oidc_name: str = ""
    """What the button of the log-in form calls it; the host, if nothing is said."""
    oidc_scopes: str = "openid email profile"
    """What is asked of it."""
    oidc_creates_users: bool = False
    """Whether who is not known here becomes a user, without a place in a workspace; else they need an invitation."""
    postgres_bin: Path | None = None
    """Folder of PostgreSQL's programs, instead of the wheel's."""
    servers: int = 1
    """Processes of a server, which share what it listens at: as many as the machine has cores for them."""
    database_connections: int = 16
    """Connections of each of them to the database, and one more that listens. The private one's are divided."""
    log_format: str = "auto"
    """`json`, `console`, or `auto`: console on a terminal."""
    exclude_newer: str = ""
    """A date, or a time with its zone: packages of the world that are newer do not count in robots' environments."""
    strict_queries: bool = False
    """Refuse names of a query that a list does not have, where the grammar passes over them (dbt Cloud)."""
    limits: Limits = Limits()
    """Sizes and counts."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 1 <= self.servers <= MOST_SERVERS:
            raise ValueError(f"servers: from 1 to {MOST_SERVERS}")
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("oidc_client_id: the provider of oidc_issuer knows this room by one")
        if not 1 <= self.limits.token_seconds <= LONGEST_TOKEN_SECONDS:
            raise ValueError(f"limits.token_seconds: from 1 to {LONGEST_TOKEN_SECONDS}")
        try:
            if self.exclude_newer:
                parse_moment(self.exclude_newer)
        except Invalid as wrong:
            raise ValueError(f"exclude_newer: {wrong.message}") from wrong


def load(overrides: Mapping[str, Any] | None = None, *, environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from file, environment and overrides (the command line's options; None means not given), in that order.

    Raises Invalid `SETTINGS` that names the setting and what is wrong with it.
    """
    environment = os.environ if environment is None else environment
    values = file_of(environment)
    values.pop("worker", None)  # read by workers
    limits: dict[str, Any] = dict(values.get("limits", {}))
    for field in Limits.__struct_fields__:
        if (text := environment.get(f"CONTROLROOM_LIMITS_{field.upper()}")) is not None:
            limits[field] = text
    for field in Settings.__struct_fields__:
        if field != "limits" and (text := environment.get(f"CONTROLROOM_{field.upper()}")) is not None:
            values[field] = text.split(",") if field in _LISTS else text
    values |= {name: value for name, value in (overrides or {}).items() if value is not None}
    values["limits"] = limits
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as wrong:
        raise Invalid(f"a setting is wrong: {wrong}", code="SETTINGS") from wrong


def file_of(environment: Mapping[str, str]) -> dict[str, Any]:
    """What the file says that CONTROLROOM_CONFIG names; nothing without one. Raises Invalid `SETTINGS`."""
    if not (file := environment.get("CONTROLROOM_CONFIG")):
        return {}
    try:
        return tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as broken:
        raise Invalid(f"the configuration file {file} cannot be read: {broken}", code="SETTINGS") from broken


_LISTS = {"allowed_hosts", "trusted_proxies", "trusted_networks", "outgoing_allow"}


def _decode(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)
