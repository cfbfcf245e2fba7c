"""Everything a person can do, once, screen by screen: keys, key line, command palette and help are made from this table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from console.link.snapshot import LinkPhase

Place = Literal["every", "live", "checklist", "field", "failures", "models"]
"""The screen that an action belongs to; `every`: works on all of them."""


@dataclass(frozen=True)
class Action:
    """`name` is the method that does it: action_NAME of the app; for another screen's own its desk's `act` gets the name.

    `keys` are Textual's key names, `shown` how the key line writes the first. `label` is one or two words, `meaning` a
    sentence. `lease`: only the holder of the lease may do it. `phases`: the key line shows it first, and only while the
    link is in one of these; none: always. `place`: where its key works.
    """

    name: str
    keys: str
    shown: str
    label: str
    meaning: str
    lease: bool = False
    phases: tuple[LinkPhase, ...] = ()
    place: Place = "live"


ACTIONS: tuple[Action, ...] = (
    Action("help", "question_mark,f1", "?", "help", "Explain what is in focus and list all keys", place="every"),
    Action("palette", "colon,ctrl+p", ":", "all", "Find any action by name", place="every"),
    Action("quit", "q,ctrl+q", "q", "quit", "Leave; the robot goes on working", place="every"),
    Action("live_screen", "1", "1", "live", "Show the robot as it is now", place="every"),
    Action("checklist_screen", "2", "2", "checklist", "Show the checklist of this robot's campaign", place="every"),
    Action("field_screen", "3", "3", "field", "Show phases, sessions and trials of the campaign", place="every"),
    Action("failures_screen", "4", "4", "failures", "Show what robots got wrong, over all days", place="every"),
    Action("models_screen", "5", "5", "models", "Show which model runs on each robot, and change it", place="every"),
    Action("picture", "p", "p", "picture", "Show what the camera sees, with boxes, a new picture each second"),
    Action("acknowledge", "a", "a", "ack", "Say that you have seen the selected alarm; it stays while it lasts"),
    Action("pause", "space", "space", "pause", "Freeze tables and lists for reading; collecting goes on"),
    Action("mark", "m", "m", "mark", "Mark this moment as a failure, with a note and the picture"),
    Action("lease", "l", "l", "lease", "Take the right to command, or give it back"),
    Action("toggle_worker", "s", "s", "start/stop", "Start or stop the worker, after asking", lease=True),
    Action("choose_source", "c", "c", "camera", "Choose the camera or another source of pictures", lease=True),
    Action("choose_bundle", "b", "b", "bundle", "Choose the bundle (model) that runs", lease=True),
    Action("filter", "slash", "/", "filter", "Show only matching events or failures; !word hides matches"),
    Action("copy", "y", "y", "copy", "Copy the selected line to your clipboard (OSC 52)", place="every"),
    Action(
        "retry",
        "r",
        "r",
        "retry",
        "Try to reach the robot again now, once its cure is done",
        phases=("refused", "down"),
    ),
    Action(
        "recheck", "r", "r", "re-check", "Look again at the selected item, or at all that went stale", place="checklist"
    ),
    Action("act", "a", "a", "run", "Run the item's command on the robot, after asking", place="checklist"),
    Action("measure", "v", "v", "value", "Enter a measured value", place="checklist"),
    Action("confirm", "c", "c", "confirm", "Vouch for the selected item, or say no to it", place="checklist"),
    Action("witness", "w", "w", "witness", "Vouch as the second person", place="checklist"),
    Action("fix", "f", "f", "fix", "Write down what was done about a failure", place="checklist"),
    Action(
        "override", "o", "o", "override", "Let an item stand that is not passed: role, reason, days", place="checklist"
    ),
    Action("defer", "d", "d", "defer", "Put an item off to a later stage, with an owner", place="checklist"),
    Action("poll", "g", "g", "go/no-go", "Answer the go/no-go poll of the stage for a role", place="checklist"),
    Action("sign", "S", "S", "sign", "Sign the stage's statement with your SSH key", place="checklist"),
    Action("pass_gate", "G", "G", "gate", "Open the way to the next stage", place="checklist"),
    Action("check_all", "R", "R", "check all", "Look at everything that the robot itself can show", place="checklist"),
    Action("note", "n", "n", "note", "Write a note on the selected item", place="checklist"),
    Action("next_open", "space", "space", "next open", "Go to the next item that needs something", place="checklist"),
    Action(
        "withdraw", "x", "x", "withdraw", "Take back a confirmation, override, deferral or signature", place="checklist"
    ),
    Action("export", "e", "e", "export", "Write the report, the record or the paper form", place="checklist"),
    Action("person", "u", "u", "who", "Say who sits at the keyboard from now on", place="checklist"),
    Action("from_paper", "P", "P", "from paper", "Mark what you enter now as copied from paper", place="checklist"),
    Action(
        "reconnect",
        "ctrl+r",
        "^r",
        "retry",
        "Try to reach the robot again now",
        phases=("refused", "down"),
        place="checklist",
    ),
    Action("log_success", "s", "s", "success", "Log a trial: it succeeded", place="field"),
    Action("log_failure", "f", "f", "failure", "Log a trial: it failed", place="field"),
    Action("log_aborted", "a", "a", "aborted", "Log a trial: a person broke it off", place="field"),
    Action("helped_success", "S", "S", "s helped", "Log a success in which a person had to help", place="field"),
    Action("helped_failure", "F", "F", "f helped", "Log a failure in which a person had to help", place="field"),
    Action(
        "undo", "u", "u", "undo", "Take back the newest trial, score or intervention; it stays in sight", place="field"
    ),
    Action("trial_note", "n", "n", "note", "Write a note on the newest trial", place="field"),
    Action("begin_attempt", "b", "b", "attempt", "An attempt begins now: its duration is measured", place="field"),
    Action("intervene", "i", "i", "stepped in", "A person had to step in, outside of a trial", place="field"),
    Action("conditions", "c", "c", "conditions", "Set the conditions that trials carry from now on", place="field"),
    Action("pause_session", "p", "p", "pause", "Pause the session, or let it go on", place="field"),
    Action("score", "k", "k", "score", "Score a frame that is drawn at random: right, wrong, missed", place="field"),
    Action("measure_sessions", "m", "m", "measure", "Count uptime and crashes from the robot's journal", place="field"),
    Action("session", "x", "x", "session", "Begin a session, or end the open one", place="field"),
    Action("phase", "g", "g", "phase", "Begin the shown phase, or go back to it, with a reason", place="field"),
    Action("field_person", "w", "w", "who", "Say who sits at the keyboard from now on", place="field"),
    Action("lift_stop", "l", "l", "lift stop", "Write down why testing may go on after a stop rule", place="field"),
    Action(
        "field_retry",
        "ctrl+r",
        "^r",
        "retry",
        "Try to reach the robot again now",
        phases=("refused", "down"),
        place="field",
    ),
    Action(
        "failure_filter", "slash", "/", "filter", "Show only failures that match words and fields", place="failures"
    ),
    Action(
        "failure_group",
        "g",
        "g",
        "group",
        "Count by kind, label, hour, light, place; Enter shows one",
        place="failures",
    ),
    Action("failure_mark", "m", "m", "mark", "Say what it is: seen, real, false alarm, to label", place="failures"),
    Action("failure_note", "n", "n", "note", "Write a note on the selected failure", place="failures"),
    Action(
        "failure_around",
        "v",
        "v",
        "around",
        "Show what was measured half a minute before and behind it",
        place="failures",
    ),
    Action(
        "failure_export", "e", "e", "export", "Write what is listed for labelling or other programs", place="failures"
    ),
    Action(
        "failure_keep", "P", "P", "keep", "Keep its pictures on the robot when space is short there", place="failures"
    ),
    Action("failure_earlier", "left", "left", "earlier", "The picture before", place="failures"),
    Action("failure_later", "right", "right", "later", "The picture behind", place="failures"),
    Action("model_push", "p", "p", "push", "Send a bundle and bring it into use", lease=True, place="models"),
    Action(
        "model_activate", "a", "a", "use", "Bring the selected bundle into use by all steps", lease=True, place="models"
    ),
    Action("model_cancel", "c", "c", "call off", "End the change that is under way", lease=True, place="models"),
    Action("model_back", "b", "b", "back", "Bring back the model that ran before", lease=True, place="models"),
    Action("model_validate", "v", "v", "validate", "Run the validation suite on the robot", place="models"),
    Action("model_shadow", "w", "w", "shadow", "Let it run beside, compared and not used", lease=True, place="models"),
    Action("model_remove", "D", "D", "remove", "Remove the bundle from the robot's store", lease=True, place="models"),
    Action("model_update", "u", "u", "release", "Look for a release now", lease=True, place="models"),
    Action("model_lease", "l", "l", "lease", "Take the right to command, or give it back", place="models"),
    Action(
        "model_retry",
        "ctrl+r",
        "^r",
        "retry",
        "Try to reach the robot again now",
        phases=("refused", "down"),
        place="models",
    ),
    Action("next_theme", "t", "t", "theme", "Dark, light, high contrast", place="every"),
)
_BEHIND = ("field_screen", "failures_screen", "models_screen")
"""The live screen's own keys come before the ways to these."""
BY_NAME: dict[str, Action] = {action.name: action for action in ACTIONS}


def on_screen(place: Place) -> tuple[Action, ...]:
    """What can be done on that screen."""
    return tuple(action for action in ACTIONS if action.place in (place, "every"))


def doing_something(names: Collection[str], phase: LinkPhase) -> tuple[Action, ...]:
    """The actions of these names that do something while the link is in that phase."""
    return tuple(one for one in map(BY_NAME.__getitem__, names) if not one.phases or phase in one.phases)


def in_key_line(
    phase: LinkPhase, place: Place = "live", applicable: Collection[str] | None = None
) -> tuple[Action, ...]:
    """What the key line of that screen offers while the link is in that phase, most important first.

    `applicable` names those of the screen's own actions that apply to what is selected, in the order in which they are
    offered; None: all of them. They come before the way to all the others.
    """
    here = tuple(action for action in on_screen(place) if action.name != f"{place}_screen")
    now = tuple(action for action in here if phase in action.phases)
    rest = tuple(action for action in here if not action.phases)
    if applicable is None:
        return now + tuple(sorted(rest, key=lambda action: action.name in _BEHIND))
    common = tuple(action for action in rest if action.place == "every")
    own = {action.name: action for action in rest if action.place == place and action.name in applicable}
    ordered = tuple(own[name] for name in applicable if name in own)
    return now[:1] + ordered + common
