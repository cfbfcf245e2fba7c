"""`fieldgate updates`: the repository of updates. Each command has its own file."""

from __future__ import annotations

import click

from remote.lazy_commands import LazyGroup

_MADE = "console.commands.updates_made"
_SHOWN = "console.commands.updates_shown"
_ROBOTS = "console.commands.updates_robots"
_COMMANDS = {
    "key": ("console.commands.updates_keys", "key", "Make a key to sign with."),
    "init": (_MADE, "init", "Make a repository."),
    "sign": (_MADE, "sign", "Sign what waits for a second person."),
    "refresh": (_MADE, "refresh", "Sign a new timestamp before the old one expires."),
    "rotate": (_MADE, "rotate", "A new root: other keys, another threshold, more time, new online keys."),
    "revoke": (_MADE, "revoke", "Take a lost or stolen key out."),
    "discard": (_MADE, "discard", "Throw away what waits for signatures."),
    "show": (_SHOWN, "show", "Roles, keys, days left, releases, what is open, what waits for whom."),
    "verify": (_SHOWN, "verify", "Take it as a robot does, and hold it against the audit."),
    "audit": (_SHOWN, "audit", "Who did what, when."),
    "copy": (_SHOWN, "copy_to", "Copy it, or one release, to a USB stick or as a backup."),
    "wave": ("console.commands.updates_wave", "wave", "Open a release to the next robots, judge it, stop it."),
    "enrol": (_ROBOTS, "enrol", "Tell a robot where its releases come from, and which keys to trust."),
    "take": (_ROBOTS, "take", "Let a robot look for a release now, also on a USB stick."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def updates() -> None:
    """Signed releases that robots take by themselves: keys, signing, waves, USB copy, robots."""
