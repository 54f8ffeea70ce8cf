"""`controlroom provisioners` against a real room."""

ENDPOINT = "https://pods.example.com/hook"


def test_a_provisioner_is_made_changed_and_deleted(running):
    """Its secret is shown by `reveal` alone; what is not named stays."""
    made = running.cli("provisioners", "create", "cluster", ENDPOINT, "--max-lifetime", "3600")
    assert "reveal" in made.stderr
    secret = running.cli("provisioners", "reveal", "cluster").stdout.strip()
    shown = running.cli("provisioners", "show", "cluster").stdout + running.cli("provisioners", "list").stdout
    assert len(secret) > 20
    assert secret not in shown
    assert all(word in shown for word in (made.stdout.strip(), ENDPOINT, "3600"))

    running.cli("provisioners", "edit", "cluster", "--name", "pods", "--secret", "@-", stdin="another secret\n")

    found = running.json("provisioners", "show", "pods")
    assert (found["endpoint"], found["max_lifetime_seconds"], found["deliveries"]) == (ENDPOINT, 3600, [])
    assert running.cli("provisioners", "reveal", "pods").stdout == "another secret\n"
    assert "nothing to change" in running.cli("provisioners", "edit", "pods", code=2).stderr
    running.cli("provisioners", "delete", "pods", "--yes")
    assert running.json("provisioners", "list") == []


def test_a_step_is_placed_on_a_provisioner(running, tmp_path):
    """By its name; it stays as long as the step does, and nothing else may be named beside it."""
    (tmp_path / "robot.yaml").write_text("tasks:\n  Go:\n    shell: python3 go.py\nartifactsDir: output\n")
    running.cli("push", tmp_path, "--name", "robot")
    made = running.json("provisioners", "create", "cluster", ENDPOINT)
    options = ("--step", "one=robot:Go", "--provisioner", "one=cluster")

    twice = running.cli("process", "create", "Twice", *options, "--workers", f"one={made['id']}", code=2)
    running.cli("process", "create", "On demand", *options)

    assert "--provisioner" in twice.stderr
    [step] = running.json("process", "show", "On demand")["steps"]
    assert step["placement"] == {"provisioner": made["id"]}
    assert "On demand" in running.cli("provisioners", "delete", "cluster", "--yes", code=1).stderr
    unknown = running.cli("process", "create", "P", "--step", "one=robot:Go", "--provisioner", "one=x", code=1)
    assert "cluster" in unknown.stderr
