"""For every test: no test fails because the machine was busy."""

from __future__ import annotations

import faulthandler
from collections.abc import Generator

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key
from hypothesis import settings

settings.register_profile("fieldgate", deadline=None)
settings.load_profile("fieldgate")


LONG = ("whole", "link", "commands")
"""Folders whose files take longest: begun first, so that no worker is left alone with one of them at the end."""

TIDY_S = 60.0
"""So long a test that was ended for taking too long may tidy up."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """End the whole process where a test hangs for good, with the stacks of all its threads; xdist names it and goes on.

    pytest-timeout ends a test once, by an exception: one that hangs while it tidies up, as a task does that does not let
    itself be called off, would hold up the run for ever.
    """
    limit_s = float(item.config.getoption("timeout") or item.config.getini("timeout")) + TIDY_S
    into = item.config.stash.get(fault_handler_stderr_fd_key, None)
    if into is not None:
        faulthandler.dump_traceback_later(limit_s, exit=True, file=into)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first; within a file the order stays."""
    items.sort(key=lambda item: item.path.parent.name not in LONG)
