"""A dbt project as somebody sees it: the steps of its run at the prompt, its documentation in a browser."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from client_programs import ORCHARD
from rooms import Room

pytestmark = [pytest.mark.network, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def followed(running: Room) -> str:
    """What somebody reads who follows a run of the example that makes its documentation."""
    running.cli("dbt", "push", ORCHARD, "--name", "orchard")
    running.cli("dbt", "jobs", "create", "Nightly", "--project", "orchard", "--command", "dbt build", "--docs")
    return running.cli("dbt", "jobs", "run", "Nightly", "--follow").stdout


def test_who_follows_a_run_sees_its_steps(followed):
    """Each step's heading stands once, in order, before what the step has printed."""
    headings = [
        "Clone git repository",
        "Create profile from connection",
        "Invoke dbt with `dbt deps`",
        "Invoke dbt with `dbt build`",
        "Invoke dbt with `dbt docs generate`",
    ]
    said = ["Fetched", "Profile orchard", "Nothing to install", "Completed successfully", "Catalog written"]

    places = [followed.index(heading) for heading in headings]

    assert all(len(re.findall(re.escape(heading), followed)) == 1 for heading in headings)
    assert places == sorted(places)
    for place, after, text in zip(places, [*places[1:], len(followed)], said, strict=True):
        assert text in followed[place:after]


@pytest.fixture(autouse=True)
def patient(page) -> None:
    """The page is two megabytes of scripts, and the machine may have other work."""
    page.set_default_timeout(120_000)


def test_the_documentation_is_one_page_in_a_sandbox(running, followed, page, tmp_path):
    """The page of the last good run is whole by itself: nothing else is read, and it has no origin to act from."""
    running.cli("dbt", "jobs", "run", "Nightly", "--follow", "--command", "dbt run -s nothing_such --no-such", code=1)
    url = running.cli("dbt", "docs", "Nightly").stdout.strip()
    answered: list[str] = []
    page.on("response", lambda response: answered.append(response.url))

    answer = page.goto(url)
    page.get_by_text("Welcome to the auto-generated documentation").wait_for()
    page.goto(f"{url}#!/model/model.orchard.growers_by_month")
    page.get_by_text("What each grower has earned, month by month.").filter(visible=True).first.wait_for()

    assert answer.headers["content-security-policy"].startswith("sandbox allow-scripts;")
    assert "allow-same-origin" not in answer.headers["content-security-policy"]
    assert page.evaluate("self.origin") == "null"
    # its own icons and its favicon have addresses that mean nothing: it asks for them, and is kept from it
    assert {each.partition("#")[0] for each in answered if not each.startswith(("data:", "blob:"))} == {url}
    # what it would reach out for, it does not reach: neither the room's API nor another site
    for other in (f"{running.url}/api/v1/workspaces", "https://example.org/"):
        tried = "url => fetch(url).then(() => 'reached', () => 'refused')"
        assert page.evaluate(tried, other) == "refused"

    saved = tmp_path / "docs.html"
    running.cli("dbt", "docs", "Nightly", "-o", saved)
    page.goto(saved.as_uri())
    page.get_by_text("Welcome to the auto-generated documentation").wait_for()


def test_in_a_frame_of_another_page(running, followed, page):
    """Somebody's page may show it in a frame without rights; there it is the same, and cannot see who shows it."""
    url = running.cli("dbt", "docs", "Nightly").stdout.strip()
    shown = f"{url}#!/model/model.orchard.crates"
    with served(f"<iframe name=docs sandbox=allow-scripts width=1000 height=800 src='{shown}'></iframe>") as address:
        page.goto(address, wait_until="commit")

        page.frame_locator("iframe[name=docs]").get_by_text("One crate of fruit").filter(visible=True).first.wait_for()

        [frame] = [each for each in page.frames if each.name == "docs"]
        seen = frame.evaluate("(() => { try { return parent.document.title } catch (e) { return e.name } })()")
    assert seen == "SecurityError"


@contextmanager
def served(html: str) -> Iterator[str]:
    """Somebody else's page: its address."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_changed_link_opens_nothing(running, followed, page):
    """Not even for who had the right one."""
    url = running.cli("dbt", "docs", "Nightly").stdout.strip()

    answer = page.goto(url[:-1] + ("A" if url[-1] != "A" else "B"))

    assert answer.status in {403, 404}
    assert "orchard" not in answer.text()
