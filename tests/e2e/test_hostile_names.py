"""Names of things as an attacker would choose them, on every page that leads to another one."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import urlsplit

import asyncpg
import pytest

from console_pages import fill
from consoles import is_too_wide, log_in, opened, watched
from controlroom.postgres.embedded import running_address
from rooms import room

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

HOSTILE = (
    '"><img src=x onerror="window.hacked=1"><script>window.hacked=2</script>\'; {{7*7}} \u202egpj.exe ' + "W" * 150
)
NAMED = ("name", "title", "description", "reference", "message", "first_name", "last_name", "step_name", "label")
KEPT = ("schema_migration", "role", "secret", "secret_attribute", "variable")
"""What the room reads by its name: roles of its own, what is sealed for a name, what is an environment variable."""
MOST_PAGES = 110
WIDTHS = {"a laptop": 1280, "a laptop at 200 %": 640, "a phone": 390}
"""Of windows, in which no page scrolls sideways."""
_LINKS = """() => [...document.querySelectorAll('main a[href], nav a[href]')]
  .filter(each => !each.hasAttribute('download'))
  .map(each => new URL(each.getAttribute('href'), location.href).href)"""


@pytest.fixture(scope="module")
def attacked():
    """A room with something of everything, and each name in it made as bad as the database takes it."""
    with room("--slots", "2") as started:
        fill(started)
        with ThreadPoolExecutor() as aside:  # the browser has the loop of this thread
            renamed = aside.submit(asyncio.run, _rename(started.data)).result()
        assert {"process", "queue", "worker", "package", "asset", "schedule"} <= renamed
        yield started


async def _rename(data):
    """Append it to all texts that people see. Why in the database: the room itself takes printable names only."""
    renamed = set()
    connection = await asyncpg.connect(str(await running_address(data / "postgres")))
    found = await connection.fetch(
        "select table_name, column_name from information_schema.columns join information_schema.tables"
        " using (table_schema, table_name) where table_schema = current_schema() and table_type = 'BASE TABLE'"
        " and data_type = 'text' and column_name = any($1) and table_name <> all($2)",
        NAMED,
        KEPT,
    )
    for table, column in found:
        with suppress(asyncpg.PostgresError):  # some the database keeps as they must be
            await connection.execute(
                f'update "{table}" set {column} = {column} || $1 where {column} <> $2', HOSTILE, ""
            )
            renamed.add(table)
    await connection.close()
    return renamed


def _kind(url):
    """Pages of one kind have one address, but for what they are about."""
    parts = urlsplit(url)
    path = re.sub(r"/[^/]*\d[^/]*|/[^/]*%[^/]*", "/…", parts.path)
    return path, "&".join(sorted(each.partition("=")[0] for each in parts.query.split("&")))


def _too_wide(page):
    """The windows in which something of the page stands out at its side."""
    found = []
    for name, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 800})
        if is_too_wide(page):
            found.append(name)
    return found


def test_no_name_is_more_than_a_text(browser, attacked):
    """Not in a title, a crumb, a chart, a menu, a confirmation: no script of it runs, none fails or is too wide."""
    context = opened(browser, "desktop", "light")
    page = context.new_page()
    log_in(page, attacked.url, **attacked.facts["admin"])
    complaints = watched(page)
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    waiting, known, wrong = [page.url], set(), []
    while waiting and len(known) < MOST_PAGES:
        url = waiting.pop(0)
        if _kind(url) in known or not url.startswith(attacked.url) or "/logout" in url or "as=csv" in url:
            continue
        known.add(_kind(url))
        answer = context.request.get(url, max_redirects=0)
        if "text/html" not in answer.headers.get("content-type", "") or "sandbox" in str(answer.headers):
            continue
        page.goto(url)
        hacked, is_whole = page.evaluate("window.hacked"), page.locator(".frame").count() == 1 or "/w/" not in url
        if answer.status >= 500 or hacked or not is_whole:
            wrong.append((url, answer.status, hacked))
        if complaints:
            wrong.append((url, complaints[:]))
            complaints.clear()
        wrong += [(url, f"too wide on {name}") for name in _too_wide(page)]
        waiting += page.evaluate(_LINKS)
    assert len(known) > 60
    assert wrong == []
    context.close()
