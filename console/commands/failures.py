"""`fieldgate failures`: what robots got wrong - list, look, mark, pull pictures, find patterns, export."""

from __future__ import annotations

import click

from remote.lazy_commands import LazyGroup

_SHOWN, _SAID = "console.commands.failures_shown", "console.commands.failures_said"
_PATTERNS = "console.commands.failures_patterns"
_COMMANDS = {
    "list": (_SHOWN, "list_failures", "The failures that match, newest first, or how many of each kind."),
    "show": (_SHOWN, "show", "One failure in full."),
    "mark": (_SAID, "mark", "Say what failures are: seen, real, false_alarm, to_label."),
    "note": (_SAID, "note", "Write a note on a failure."),
    "pin": (_SAID, "pin", "Keep a failure's pictures on the robot when space is short."),
    "pull": ("console.commands.failures_pull", "pull", "Bring the pictures of a robot's failures to this laptop."),
    "patterns": (_PATTERNS, "patterns", "Which conditions failures come with, as rates with intervals."),
    "import": (_PATTERNS, "import_log", "Read failures out of somebody else's log."),
    "export": (_PATTERNS, "export_failures", "Write failures for labelling or for other programs."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def failures() -> None:
    """What robots got wrong, over all robots that this laptop has watched and all logs that were imported.

    QUERY is what the screen's `/` line takes: words (regular expressions) and fields such as kind:no_detection,
    label:cube, light:<40, time:>2026-11-20T10:00, place:dock, marked:yes; `!` before one hides what matches.
    """
