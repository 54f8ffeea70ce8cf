"""What can go wrong with chains."""

from typing import ClassVar
from uuid import UUID

from controlroom.errors import NotFound


class ChainNotFound(NotFound):
    """There is no such chain."""

    code: ClassVar[str] = "CHAIN_NOT_FOUND"

    def __init__(self, chain: UUID | str) -> None:
        super().__init__(f"there is no chain {chain}", chain_id=str(chain))
