"""The same world for commands as for campaigns."""

from __future__ import annotations

from tests.console.checklist.conftest import world

__all__ = ["world"]
