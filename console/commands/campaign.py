"""`fieldgate campaign`: bringing one bundle onto one robot through a checklist, without a screen."""

from __future__ import annotations

import click

from remote.lazy_commands import LazyGroup

_MADE, _SHOWN = "console.commands.campaign_made", "console.commands.campaign_shown"
_SAID, _GATES = "console.commands.campaign_said", "console.commands.campaign_gates"
_COMMANDS = {
    "new": (_MADE, "new", "Begin a campaign: a robot, a bundle, a pack."),
    "list": (_SHOWN, "list_campaigns", "The campaigns of this laptop."),
    "open": ("console.commands.campaign_open", "open_screen", "Open the checklist screen."),
    "show": (_SHOWN, "show", "The checklist now: states, values, reasons."),
    "log": (_SHOWN, "log", "Every entry of the record."),
    "measure": (_SAID, "measure", "Enter the value of a measured item."),
    "confirm": (_SAID, "confirm", "Vouch for an item, or say that it does not hold."),
    "witness": (_SAID, "witness", "Vouch as second person for what another one did."),
    "act": (_SAID, "act", "Run an item's command on the robot, then verify."),
    "override": (_SAID, "override", "Let an item stand though it is not passed."),
    "defer": (_SAID, "defer", "Put an item off to a later stage."),
    "fix": (_SAID, "fix", "Write down what was done about an item's last failure."),
    "withdraw": (_SAID, "withdraw", "Take back what was said; it stays in the record."),
    "note": (_SAID, "note", "Keep a note."),
    "attach": (_SAID, "attach", "Keep files with the record."),
    "poll": (_GATES, "poll", "Answer go or no-go before a gate."),
    "pass": (_GATES, "pass_gate", "Open a stage's gate."),
    "revise": (_MADE, "revise", "Put another bundle, pack, overlay or roster in force."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def campaign() -> None:
    """Bring one bundle onto one robot through a checklist; everything stays in its record.

    NAME is a campaign's name, or its robot's; it may be left out where there is only one campaign.
    """
