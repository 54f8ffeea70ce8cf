"""Every operation of the grammar, as facts: method, path, and what is worth a note.

Sections are the nouns of the API; whether we serve a row is computed, never written here.
"""

from collections.abc import Iterator

from contract.operations import Row, Section


def _section(title: str, *rows: str) -> Section:
    """Rows are `v2 METHOD /path: note` or `v2,v3 …`; what does not begin with `/` is below the account."""
    return Section(title, tuple(each for row in rows for each in _rows(row)))


def _rows(row: str) -> Iterator[Row]:
    what, _, note = row.partition(": ")
    versions, methods, path = what.split(" ")
    below = path if path.startswith("/") else f"/accounts/{{account}}/{path}"
    for version in versions.split(","):
        for method in methods.split(","):
            yield Row(method, f"/api/{version}{below}", note)


_P = "projects/{project}"

SECTIONS = (
    _section(
        "Accounts",
        "v2,v3 GET /accounts",
        "v2,v3 GET /accounts/{account}",
        "v2 POST,PATCH /accounts/{account}",
        "v2 GET /whoami",
    ),
    _section(
        "Projects",
        "v2,v3 GET,POST projects",
        f"v2,v3 GET,POST,DELETE {_P}",
        f"v3 PATCH {_P}: likewise, of what is given",
    ),
    _section(
        "Environments",
        "v2,v3 GET,POST environments",
        "v2,v3 GET,POST,DELETE environments/{environment}",
        f"v3 GET,POST {_P}/environments",
        f"v2 GET,POST {_P}/environments: as one vendor's page has it",
        f"v3 GET,POST,DELETE {_P}/environments/{{environment}}",
        f"v2 GET,DELETE {_P}/environments/{{environment}}",
    ),
    _section(
        "Jobs",
        "v2 GET,POST jobs",
        "v2 GET,POST,DELETE jobs/{job}",
        "v2 POST jobs/{job}/run",
        "v2 POST jobs/{job}/rerun",
        "v2 GET jobs/{job}/artifacts/{path}",
    ),
    _section(
        "Runs",
        "v2 GET runs",
        "v2 GET runs/{run}",
        "v2 POST runs/{run}/cancel",
        "v2 GET,POST runs/{run}/retry",
        "v2 GET runs/{run}/artifacts",
        "v2 GET runs/{run}/artifacts/{path}",
        "v2 GET steps/{step}",
        f"v3 GET {_P}/runs/{{run}}/timing: times of models",
    ),
    _section(
        "Repositories",
        "v2 GET,POST repositories",
        "v2 GET,DELETE repositories/{repository}",
        "v3 GET repositories",
        f"v3 GET,POST {_P}/repositories",
        f"v3 POST {_P}/managed-repositories",
        f"v3 GET,POST,DELETE {_P}/repositories/{{repository}}",
    ),
    _section(
        "Connections",
        "v3 GET,POST connections",
        "v3 GET,PATCH,DELETE connections/{connection}",
        "v2 GET connections",
        "v2 GET connections/{connection}",
        f"v2,v3 GET {_P}/connections",
        f"v3 POST {_P}/connections",
        f"v3 GET,POST,DELETE {_P}/connections/{{connection}}",
        f"v2 GET {_P}/connections/{{connection}}",
        "v3 POST connections/test",
    ),
    _section(
        "Credentials, profiles, extended attributes",
        "v2 GET credentials",
        f"v3 GET,POST {_P}/credentials",
        f"v2 GET {_P}/credentials",
        f"v3 GET,POST,PATCH,DELETE {_P}/credentials/{{credentials}}",
        f"v2 GET {_P}/credentials/{{credentials}}",
        f"v3 GET,POST {_P}/profiles",
        f"v3 GET,POST,PATCH,DELETE {_P}/profiles/{{profile}}",
        f"v3 GET,POST {_P}/extended-attributes",
        f"v3 GET,POST,PATCH,DELETE {_P}/extended-attributes/{{attributes}}",
    ),
    _section(
        "Environment variables",
        f"v3 GET {_P}/environment-variables/environment",
        f"v3 GET {_P}/environment-variables/job",
        f"v3 GET {_P}/environment-variables/user",
        f"v3 POST {_P}/environment-variables",
        f"v3 POST,DELETE {_P}/environment-variables/{{variable}}",
        f"v3 POST,PUT,DELETE {_P}/environment-variables/bulk",
    ),
    _section(
        "Users, groups, licences",
        "v2,v3 GET users",
        "v2,v3 GET users/{user}",
        "v3 GET,POST groups",
        "v3 GET,POST,DELETE groups/{group}",
        "v3 POST group-permissions/{group}",
        "v3 POST assign-groups",
        "v3 GET,POST license-maps",
        "v3 GET,POST,DELETE license-maps/{map}",
        "v3 POST permissions/{permission}",
        "v2 GET,POST invites",
    ),
    _section(
        "Service tokens and personal tokens",
        "v3 GET,POST service-tokens",
        "v3 GET,PUT,DELETE service-tokens/{token}",
        "v3 GET,POST service-tokens/{token}/permissions",
        "v3 GET,POST users/{user}/account-apikeys",
        "v3 GET,POST,DELETE users/{user}/account-apikeys/{key}",
    ),
    _section(
        "Notifications",
        "v2 GET,POST notifications",
        "v2 GET,POST,DELETE notifications/{notification}",
    ),
    _section(
        "Webhooks",
        "v3 GET,POST webhooks/subscriptions",
        "v3 GET,PUT,DELETE webhooks/subscription/{webhook}",
        "v3 GET webhooks/subscription/{webhook}/test",
        "v3 GET webhooks/subscription/{webhook}/events",
        "v3 GET webhooks/subscription/{webhook}/event/{event}/receipt",
    ),
    _section(
        "Other things",
        "v3 GET audit-logs",
        "v3 GET feature-flag",
        "v2 GET /constants",
        "v2 GET,POST encryptions: 404 in the envelope",
    ),
)
