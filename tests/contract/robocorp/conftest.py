"""Workspaces in which there is one of everything."""

import pytest

from contract.robocorp.furnished import Furnished, furnish


@pytest.fixture
async def furnished(room, ada, process, walt) -> Furnished:
    """One for each test: some requests destroy."""
    return await furnish(room, ada, process, walt)
