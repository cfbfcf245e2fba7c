"""For every test: no test fails because the machine was busy."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("fieldgate", deadline=None)
settings.load_profile("fieldgate")


LONG = ("whole", "link", "commands")
"""Folders whose files take longest: begun first, so that no worker is left alone with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first; within a file the order stays."""
    items.sort(key=lambda item: item.path.parent.name not in LONG)
