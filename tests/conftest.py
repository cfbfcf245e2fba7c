"""For every test: no test fails because the machine was busy."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("fieldgate", deadline=None)
settings.load_profile("fieldgate")
