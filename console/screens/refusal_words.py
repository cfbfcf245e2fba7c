"""A refusal in the words of the dialog that it is shown in: fields and keys, no options of a command line."""

from __future__ import annotations

import re

from remote.errors import Trouble

_CURES: dict[str, str] = {
    "challenge_failed": "read it off the robot and type its last four characters into 'last 4 of serial'",
    "challenge_unknown": "connect the robot once, then r or R looks at it",
    "nothing_attached": "write its path into the field",
    "attachment_unreadable": "correct the path in the field",
    "same_person": "another person gives their name in 'second person'",
    "not_in_roster": "give a name that the campaign's roster has; u says who sits at the keyboard",
    "no_reason": "write 10 characters or more into the field",
    "no_owner": "fill in 'owner'",
    "bad_days": "give fewer in 'for days'",
    "bad_person": "letters, digits and . _ @ + - only, at most 64",
}
"""What to do by the Trouble's code, where its own cure is meant for a command line."""
_OPTION = re.compile(r"\s*\((?:`--[^`]*`|--[a-z-]+)\)")


def without_options(text: str) -> str:
    """The text without what is only true on a command line: `(`--as NAME`)`."""
    return _OPTION.sub("", text)


def refusal_words(trouble: Trouble) -> str:
    """What happened and what to do about it in this dialog, on one line."""
    cure = _CURES.get(trouble.code, without_options(trouble.cure))
    what = without_options(trouble.what)
    return f"{what}; {cure}" if cure else what
