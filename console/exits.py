"""Every exit code of `fieldgate`, once; docs/exit-codes.md says the same in a table and a test compares them."""

from __future__ import annotations

OK = 0
"""Done, or shown, and nothing asked to fail did."""
TROUBLE = 1
"""Something went wrong that none of the other codes names; the two lines on stderr say what and what to do."""
USAGE = 2
"""The command line itself can't be understood (click's own code)."""
ALARM = 3
"""`--fail-on` came true, `check`/`phase`/`model` measured a failure, `session` found something that must hold and does not, a
release is stopped, or `verify` (also `updates verify`) found something that does not count."""
UNREACHABLE = 4
"""The robot can't be reached: name, network, SSH service, or no agent there."""
UNTRUSTED = 5
"""The robot's host key is unknown or changed, or it refused our key."""
REFUSED = 6
"""The agent answered and refused: lease held by another, command expired, state changed, wrong version, a change of models
under way, a bundle in use, a robot that is busy."""
NO_DATA = 7
"""Nothing that was asked for came in time, or what was counted decides nothing yet."""
FORGED = 8
"""`verify`, `campaign pass`: the record was changed, or one of its signatures is not what it says."""
INTERRUPTED = 130
"""Ctrl+C."""

BY_CODE: dict[str, int] = {
    "usage": USAGE,
    "bad_limit": USAGE,
    "unreachable": UNREACHABLE,
    "no_agent": UNREACHABLE,
    "unknown_host_key": UNTRUSTED,
    "changed_host_key": UNTRUSTED,
    "auth_failed": UNTRUSTED,
    "too_old": REFUSED,
    "lease_held": REFUSED,
    "lease_lost": REFUSED,
    "no_lease": REFUSED,
    "expired": REFUSED,
    "state_changed": REFUSED,
    "update_underway": REFUSED,
    "robot_busy": REFUSED,
    "bundle_in_use": REFUSED,
    "no_data": NO_DATA,
    "record_forged": FORGED,
    "entry_unmet": ALARM,
    "holding_unmet": ALARM,
    "phase_stopped": ALARM,
    "wrong_bundle": ALARM,
}
"""Exit code for each `Trouble.code` that has one of its own; all others end with TROUBLE."""
