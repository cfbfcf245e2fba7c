"""Everything a person can do on the live screen, once: keys, key line, command palette and help are made from this table."""

from __future__ import annotations

from dataclasses import dataclass

from console.link.snapshot import LinkPhase


@dataclass(frozen=True)
class Action:
    """`name` is the app's method action_NAME; `keys` are Textual's key names, `shown` how the key line writes the first.

    `label` is one or two words, `meaning` a sentence. `lease`: only the holder of the lease may do it. `phases`: the key
    line shows it first, and only while the link is in one of these; none: always.
    """

    name: str
    keys: str
    shown: str
    label: str
    meaning: str
    lease: bool = False
    phases: tuple[LinkPhase, ...] = ()


ACTIONS: tuple[Action, ...] = (
    Action("help", "question_mark,f1", "?", "help", "Explain the pane in focus and list all keys"),
    Action("palette", "colon,ctrl+p", ":", "all", "Find any action by name"),
    Action("quit", "q,ctrl+q", "q", "quit", "Leave; the robot goes on working"),
    Action("picture", "p", "p", "picture", "Show what the camera sees, with boxes, a new picture each second"),
    Action("acknowledge", "a", "a", "ack", "Say that you have seen the selected alarm; it stays while it lasts"),
    Action("pause", "space", "space", "pause", "Freeze tables and lists for reading; collecting goes on"),
    Action("mark", "m", "m", "mark", "Mark this moment as a failure, with a note and the picture"),
    Action("lease", "l", "l", "lease", "Take the right to command, or give it back"),
    Action("toggle_worker", "s", "s", "start/stop", "Start or stop the worker, after asking", lease=True),
    Action("choose_source", "c", "c", "camera", "Choose the camera or another source of pictures", lease=True),
    Action("choose_bundle", "b", "b", "bundle", "Choose the bundle (model) that runs", lease=True),
    Action("filter", "slash", "/", "filter", "Show only matching events or failures; !word hides matches"),
    Action("copy", "y", "y", "copy", "Copy the selected line to your clipboard (OSC 52)"),
    Action(
        "retry",
        "r",
        "r",
        "retry",
        "Try to reach the robot again now, once its cure is done",
        phases=("refused", "down"),
    ),
    Action("next_theme", "t", "t", "theme", "Dark, light, high contrast"),
)
BY_NAME: dict[str, Action] = {action.name: action for action in ACTIONS}


def in_key_line(phase: LinkPhase) -> tuple[Action, ...]:
    """What the key line offers while the link is in that phase, most important first."""
    now = tuple(action for action in ACTIONS if phase in action.phases)
    return now + tuple(action for action in ACTIONS if not action.phases)
