"""A secret from the vault, and an asset that lives longer than a run."""

from robocorp import storage, vault
from robocorp.tasks import task


@task
def log_in():
    """Read the secret `shop`, and count the visits in the asset `visits`."""
    shop = vault.get_secret("shop")
    print(f"logging in as {shop['user']} with a password of {len(shop['password'])} characters")
    visits = storage.get_json("visits")["count"] + 1 if "visits" in storage.list_assets() else 1
    storage.set_json("visits", {"count": visits})
    print(f"visit number {visits}")
