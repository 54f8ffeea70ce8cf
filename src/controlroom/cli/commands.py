"""The list of commands. It is read by every command, and imports nothing."""

from typing import NamedTuple


class Command(NamedTuple):
    """A command: its name, where it is, and what it does in one line."""

    name: str
    path: str
    """Module below `controlroom`, and the name in it. Why text: the command line speaks to rooms by their API, and the
    programs that are a room stand above it, in `host/`."""
    summary: str


ROOM = (
    Command("up", "host.up:up", "Start everything on this machine: database, server, one worker"),
    Command("server", "host.server:server", "Start a server, for a room of several machines"),
    Command("worker", "host.worker:worker", "Start a worker, here or on another machine"),
    Command("mail", "host.mail:mail", "Take mail that starts processes"),
    Command("backup", "host.backup:backup", "Write a backup of a room that runs"),
    Command("restore", "host.backup:restore", "Make a room of a backup"),
)
WORK = (
    Command("push", "cli.push:push", "Upload a robot's folder as a task package"),
    Command("run", "cli.run:run", "Start a process or a task and, with --follow, watch it to its end"),
)
NOUNS = (
    Command(
        "process", "cli.process:app", "Processes and their secrets: create, list, show, edit, enable, disable, delete"
    ),
    Command(
        "runs",
        "cli.runs:app",
        "Process runs: list, show, follow, phases, console, outputs, stop, pause, resume, rerun, delete",
    ),
    Command(
        "items", "cli.items:app", "Work items, one or many: edit, retry, done, complete, hold, release, rerun, delete"
    ),
    Command("human-tasks", "cli.human_tasks:app", "What waits for people: list, show, submit"),
    Command("figures", "cli.figures:app", "What ended, why things fail, what waits: show, failures, queues, rebuild"),
    Command("locks", "cli.locks:app", "Names that runs hold until they end: list, show, set, delete"),
    Command("queues", "cli.queues:app", "Queues, their schemas and consumers: list, show, create, rename, delete"),
    Command("artifacts", "cli.artifacts:app", "Files that robots left: list, download"),
    Command("assistant", "cli.assistant:app", "Assistants: list, run on this machine, create, delete, runs"),
    Command(
        "packages", "cli.packages:app", "Task packages and where they come from: list, show, download, source, delete"
    ),
    Command(
        "repository",
        "cli.repository:app",
        "Folders, files and rights: list, show, mkdir, move, check-out, check-in, unlock, label, needs, rights, delete",
    ),
    Command("secrets", "cli.secrets:app", "Secrets of the vault: list, show, set, delete"),
    Command(
        "shared-secrets", "cli.shared_secrets:app", "Secrets of the organization: list, show, create, set, give, delete"
    ),
    Command(
        "lockers",
        "cli.lockers:app",
        "What shares secrets of the organization: list, show, create, rename, member, consumer, put, take, delete",
    ),
    Command("models", "cli.models:app", "Connections to models: list, create, prompt, delete"),
    Command("assets", "cli.assets:app", "Assets: list, show, set, get, delete"),
    Command("keys", "cli.keys:app", "API keys: list, show, create, edit, reveal, delete"),
    Command("workers", "cli.workers:app", "Workers and link tokens: list, show, rename, serve, link-token, delete"),
    Command("schedules", "cli.schedules:app", "Schedules: list, show, create, edit, preview, enable, disable, delete"),
    Command(
        "triggers", "cli.triggers:app", "Mail that starts processes: list, show, set, rotate, enable, disable, delete"
    ),
    Command("chains", "cli.chains:app", "What starts what: list, show, links, create, edit, enable, disable, delete"),
    Command(
        "groups",
        "cli.groups:app",
        "Worker groups: list, show, create, rename, add, remove, serve, link-token, tokens, delete",
    ),
    Command(
        "provisioners", "cli.provisioners:app", "Workers on demand: list, show, create, edit, reveal, serve, delete"
    ),
    Command(
        "webhooks", "cli.webhooks:app", "Webhooks: list, show, create, edit, reveal, test, enable, disable, delete"
    ),
    Command("notifications", "cli.notifications:app", "Who is told how runs end: list, show, create, edit, delete"),
    Command("deliveries", "cli.deliveries:app", "What was sent to the world: list, show, redeliver"),
    Command("retention", "cli.retention:app", "How long things are kept: show, set"),
)
DBT = (Command("dbt", "cli.dbt:app", "dbt projects in this room: push, jobs, runs, logs, artifacts, tokens"),)
DATA = (
    Command(
        "load", "cli.load:load", "Load a control room into a database, any vendor's or ours: all, then what is new"
    ),
    Command("sources", "cli.sources:app", "Sources that the room runs by itself: install, list, remove"),
    Command("explore", "cli.explore:explore", "Open a notebook over what was loaded: runs, failures, queues, workers"),
)
PEOPLE = (
    Command("rooms", "cli.rooms:app", "Rooms that your commands find: list, forget"),
    Command("use", "cli.rooms:use", "Choose the room that your commands speak to"),
    Command("login", "cli.login:login", "Log in by name and password, for what takes more than an API key"),
    Command("logout", "cli.login:logout", "End a session"),
    Command("workspaces", "cli.workspaces:app", "Workspaces: list, create, rename, delete"),
    Command(
        "members", "cli.members:app", "Members of the workspace: list, add, role, remove, invite, invitations, withdraw"
    ),
    Command("users", "cli.users:app", "Users and their credentials: list, show, create, password, disable, enable"),
    Command("roles", "cli.roles:app", "Roles: list, show, create, edit, delete"),
    Command("grants", "cli.grants:app", "Who has which role: list, give, revoke"),
    Command("user-groups", "cli.user_groups:app", "Groups of users: list, show, create, rename, add, remove, delete"),
    Command("code-policies", "cli.code_policies:app", "By which rules code is read: list, show, create, give, delete"),
    Command("audit", "cli.audit:audit", "Who did what, and when"),
)
SHELL = (Command("completion", "cli.completion:completion", "Print the shell's completion script: bash, zsh or fish"),)

SECTIONS = (
    ("A room", ROOM),
    ("Robots at work", WORK),
    ("What is in the room", NOUNS),
    ("dbt", DBT),
    ("Data", DATA),
    ("People and rooms", PEOPLE),
    ("This shell", SHELL),
)
