"""A process that works in a field test until it is killed: `python -m tests.console.fieldwork.field_child CAMPAIGN WHAT COUNT`.

It prints a line when it has done each thing, and waits to be killed at the end.
"""

from __future__ import annotations

import sys
import time

from console.campaigns.opening import open_campaign
from console.fieldwork.field_test import FieldTest


def main(name: str, what: str, count: str) -> None:
    """Log `count` trials; then `begun` begins one more, `logged` does not, `many` ends at once."""
    field = FieldTest(open_campaign(name))
    for number in range(int(count)):
        logged = field.log_trial("success" if number % 2 else "failure", what)
        print(f"trial {logged.seq}", flush=True)
    if what == "begun":
        print(f"begun {field.begin_trial('child')}", flush=True)
    if what in ("begun", "logged"):
        print("ready", flush=True)
        time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])
