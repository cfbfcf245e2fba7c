"""A campaign's field test: everything that screens and commands do to phases, sessions and trials goes through here."""

from __future__ import annotations

from console.campaigns.field_trials import FieldTrials


class FieldTest(FieldTrials):
    """A whole field test: FieldGround says how things are, FieldSessions adds phases and sessions, FieldTrials what is tried
    and scored, this class what the robot's journal says of it.

    Thread-safe and blocking: a screen calls it from worker threads. Whatever a method refuses it raises as Trouble, before
    anything is written; what it accepts is synced to the disk when it returns, so a laptop that crashes loses nothing. Several
    processes may use one campaign at once.
    """
