"""What a statement costs for saying whose rows it may touch."""

from controlroom.engine.access.scope import SEEN
from controlroom.ids import uuid7


async def test_the_workspace_is_looked_up_by_its_key(engine):
    """However many workspaces the organization has, and before PostgreSQL has counted them."""
    plan = await engine.database.all(str, f"explain select {SEEN}", workspace=uuid7(), organization=uuid7())

    assert "Index Scan using workspace_pkey on workspace" in "\n".join(plan)
