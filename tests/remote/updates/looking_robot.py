"""A robot of the tests: its folder, what it knows, and looks for a release in this process."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from remote.errors import Trouble
from remote.model_states import Progress
from remote.updates.look import look
from remote.updates.order import Facts, Found, Order
from tests.tuf_repository import Repository

FACTS = Facts(robot="orin-1", robot_class="arm", l4t="36.4.3", tensorrt="10.3.0")


class Robot:
    """A robot's folder and what it knows."""

    def __init__(self, folder: Path, repository: Repository, url: str) -> None:
        self.folder = folder
        (folder / "bundles").mkdir(parents=True)
        self.order = Order(
            url=url,
            cache=str(folder / "cache"),
            root=repository.first_root,
            bundles=str(folder / "bundles"),
            facts=FACTS,
        )
        self.said: list[Progress] = []
        self.now_wall_ns = time.time_ns()

    def look(self, **changes: Any) -> Found:
        """One look, in this process."""
        order = msgspec.structs.replace(self.order, **changes)
        return look(order, self.said.append, lambda: self.now_wall_ns)

    def refused(self, **changes: Any) -> Trouble:
        """One look that has to be refused."""
        trouble = self.refused_after_all(**changes)
        assert not [one for one in (self.folder / "bundles").glob(".staging-*/*") if one.suffix == ".onnx"]
        return trouble

    def refused_after_all(self, **changes: Any) -> Trouble:
        """One look that has to be refused, whatever lies there from before."""
        with pytest.raises(Trouble) as raised:
            self.look(**changes)
        assert raised.value.cure, raised.value.what
        return raised.value

    def drop_staging(self) -> None:
        """Remove what was fetched."""
        for folder in (self.folder / "bundles").glob(".staging-*"):
            shutil.rmtree(folder)
