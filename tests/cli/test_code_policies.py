"""Code policies at the prompt."""

from rooms import run_cli


def test_a_policy_is_made_and_given(running):
    """By who governs the organization; the workspace has the usual one again when it is taken away."""
    root = run_cli("login", CONTROLROOM_DATA=str(running.data)).stdout.strip()
    here = {"CONTROLROOM_URL": running.url, "CONTROLROOM_WORKSPACE": running.facts["workspace_id"]}

    def cli(*words):
        done = run_cli(*words, CONTROLROOM_API_KEY=root, **here)
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    made = cli("code-policies", "create", "strict", "--rule", "S6", "--high", "S605", "--refuses", "high")

    assert cli("code-policies", "give", "strict") == "strict"
    assert "S605" in cli("code-policies", "show")
    assert "high" in cli("code-policies", "show", "strict")
    assert made in cli("code-policies", "list")
    assert cli("code-policies", "give") == "Default"
    cli("code-policies", "delete", "strict", "--yes")
    assert made not in cli("code-policies", "list")
