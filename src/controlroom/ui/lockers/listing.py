"""The list of the organization's secrets."""

from typing import Final

from controlroom.engine.vault.shared.listings import SHARED_SECRETS
from controlroom.engine.vault.shared.model import SharedSecret
from controlroom.ui.filters import Choice, Reference
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.pickers.known import LOCKERS

LIST: Final = ListPage(
    listing=SHARED_SECRETS,
    row=SharedSecret,
    path="/shared-secrets",
    noun="secrets",
    noun_of_one="secret",
    topics="shared_secret locker",
    filters=(
        Reference("locker", "Locker", "locker_id", LOCKERS),
        Choice("completed", "Values", "is_completed", {"true": "it has them", "false": "lacking"}),
    ),
    columns=(
        Col("name", "Secret", sort="name", always=True),
        Col("attributes", "Has values of", csv=lambda each: ", ".join(one.name for one in each.attributes)),
        Col("owner_name", "Owner"),
        Col("locker_name", "Locker"),
        Col("updated_at", "Changed", sort="updated_at", is_number=True, always=True),
    ),
    searched=("name", "description", "locker_name"),
    searched_words="Name, locker, number or id",
    sort="name",
)
