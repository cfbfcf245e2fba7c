"""A small robot whose clocks a test turns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.remote.activation.changing_robot import (
    Hands,
    a_robot,
)
from tests.remote.activation.small_robot import (
    SmallRobot,
)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest_asyncio.fixture
async def robot(tmp_path: Path, hands: Hands) -> AsyncIterator[SmallRobot]:
    made = a_robot(tmp_path, hands.clock())
    await made.start_worker()
    yield made
    await made.end()
