"""The reference of each grammar in a browser: it is fit for everybody, and asks what it describes."""

import pytest

from consoles import AXE, TAGS, is_too_wide, opened, watched

PAGES = ["/api/v1/docs", "/swagger/docs", "/api/v3/docs", "/worker/v1/docs"]


@pytest.mark.parametrize("path", PAGES)
def test_a_reference_complains_about_nothing(browser, running, path):
    """Neither about its own policy; and each operation can be tried."""
    context = opened(browser, "desktop", "light")
    page = context.new_page()
    complaints = watched(page)
    page.goto(running.url + path)
    assert page.get_by_role("button", name="Try ").count() == page.locator("article").count()
    assert (is_too_wide(page), complaints) == (False, [])
    context.close()


def test_an_operation_is_tried_with_a_key_that_stays_in_the_page(browser, running):
    """Without it it is refused; the workspace that was typed is there for the next one."""
    context = opened(browser, "phone", "dark")
    page = context.new_page()
    page.goto(f"{running.url}/api/v1/docs#listProcesses")
    article = page.locator("#listProcesses")
    article.get_by_role("button", name="Try listProcesses").click()
    article.get_by_label("workspace_id").fill(running.facts["workspace_id"])
    article.get_by_role("button", name="Send").click()
    article.locator("pre", has_text="401 ").wait_for()
    page.locator("#credential input[type=password]").fill(f"RC-WSKEY {running.facts['api_key']}")
    article.get_by_role("button", name="Send").click()
    article.locator("pre", has_text='"has_more": false').wait_for()
    other = page.locator("#listApiKeys")
    other.get_by_role("button", name="Try listApiKeys").click()
    assert other.get_by_label("workspace_id").input_value() == running.facts["workspace_id"]
    other.get_by_role("button", name="Send").click()
    other.locator("pre", has_text='"first key"').wait_for()
    page.evaluate(AXE.read_text())
    for each in ("#credential", "#listProcesses"):  # why not the page: it has thousands of elements, and minutes of axe
        found = page.evaluate("([of, tags]) => axe.run(of, {runOnly: {type: 'tag', values: tags}})", [each, TAGS])
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
    page.reload()
    assert page.locator("#credential input[type=password]").input_value() == ""
    context.close()
