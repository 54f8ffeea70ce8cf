"""What stands on the pages of access, people and messages: addresses for the walk, and a room with some of each."""

from typing import Any

from rooms import Room

PAGES = {
    "connect": "/connect",
    "connect-automation360": "/connect?way=automation360",
    "connect-key": "/connect/keys/{key}",
    "connect-key-new": "/connect/keys/new",
    "connect-key-delete": "/connect/keys/{key}/delete",
    "members": "/members",
    "members-invite": "/members/invite",
    "members-invitations": "/members/invitations",
    "members-grants": "/members/grants",
    "groups": "/members/groups",
    "user-group": "/members/groups/{user_group}",
    "roles": "/roles",
    "role": "/roles/owner",
    "role-new": "/roles/new",
    "users": "//admin/users",
    "user": "//admin/users/{user}",
    "user-new": "//admin/users/new",
    "workspaces": "//admin/workspaces",
    "audit": "/audit",
    "audit-organization": "//admin/audit",
    "webhooks": "/webhooks",
    "webhook": "/webhooks/{webhook}",
    "webhook-delivery": "/webhooks/{webhook}?delivery={delivery}",
    "webhook-new": "/webhooks/new",
    "settings": "/settings",
    "health": "//admin/health",
}


def fill(running: Room) -> dict[str, str]:
    """Keys, some of them used."""
    facts: dict[str, str] = {}
    made: Any = {}
    for name, permissions in (
        (
            "erp-bridge",
            ("runs.start", "runs.read", "work_items.read", "work_items.write", "assets.read", "assets.write"),
        ),
        ("powerbi", ("runs.read", "work_items.read")),
        ("ci-deploy der Buchhaltungsabteilung Nordrhein-Westfalen", ("packages.write",)),
    ):
        made[name] = running.post("/api-keys", {"name": name, "permissions": list(permissions)})
    keys = running.get("/api-keys")["data"]
    facts["key"] = next(each["id"] for each in keys if each["name"] == "erp-bridge")
    for name, role in (("ingrid", "operator"), ("jonas-alexander.hohenzollern", "viewer")):
        running.cli("users", "create", name, "--role", role, "--password", stdin="a long password")
    facts["user"] = "ingrid"
    running.cli("user-groups", "create", "Accounting")
    running.cli("user-groups", "add", "Accounting", "ingrid")
    facts["user_group"] = "Accounting"
    for name, where in (("erp", "https://erp.invalid/hooks/runs"), ("Buchhaltung", "https://b.invalid/a/long/path")):
        made[name] = running.post(
            "/webhooks", {"endpoint": where, "name": name, "enabled_events": ["process_run.completed"]}
        )
    facts["webhook"] = made["erp"]["id"]
    for _ in range(3):
        facts["delivery"] = running.post(f"/webhooks/{facts['webhook']}/test")["delivery"]["id"]
    return facts
