"""A newcomer in the browser: from an empty room to a run that has completed, in three clicks."""

from consoles import log_in, opened


def test_the_first_run_is_three_clicks_away(browser, running):
    """The sample is set up, started, and its page follows it to the end; then the overview has it."""
    context = opened(browser, "desktop", "light")
    page = context.new_page()
    log_in(page, running.url, **running.facts["admin"])

    page.get_by_role("button", name="Set up the sample").click()
    page.get_by_role("button", name="Start", exact=True).first.click()
    page.wait_for_url("**/runs/*")
    page.get_by_text("Completed", exact=True).first.wait_for()
    page.goto(f"{running.url}/w/default")

    assert page.get_by_role("heading", name="Needs attention").is_visible()
    assert page.get_by_role("link", name="Count words").first.is_visible()
    context.close()
