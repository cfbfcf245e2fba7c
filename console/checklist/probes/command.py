"""`robot_command`: a program on the robot ends as expected and says what is expected."""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Literal

import msgspec

from console.checklist.probes import Finding, Sight
from console.fieldtest.criteria import Answer
from console.link.transport import Ran
from remote.errors import Trouble
from remote.protocol import Scalar

SHOWN = 2000
"""Characters of the output that are kept as evidence."""
MATCHED_BYTES = 65_536
"""The output's beginning in which the pattern is looked for."""
NOT_FOUND, NOT_ALLOWED = 127, 126
Word = Annotated[str, msgspec.Meta(max_length=4096, pattern=r"^[^\x00]*$", description="word: a text without NUL")]


class CommandParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`argv` is run without a shell: no `$`, `~`, `|` or `*` means anything. It gets no input.

    `expect_exit`: the exit status. `expect_output`: a regular expression (Python's) for the standard output without the white
    space at its ends; empty: whatever it says. `match`: `full` (all of the output) or `partial` (anywhere in it).
    """

    argv: Annotated[tuple[Word, ...], msgspec.Meta(min_length=1, max_length=256)]
    expect_exit: Annotated[int, msgspec.Meta(ge=0, le=255)] = 0
    expect_output: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    match: Literal["full", "partial"] = "partial"
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=600)] = 30.0

    def __post_init__(self) -> None:
        try:
            re.compile(self.expect_output)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"expect_output is no regular expression: {error}") from error


def look_at_command(sight: Sight, parameters: CommandParameters) -> Finding:
    """An Answer to `command_output`: whether it ended and said as expected, with what was said.

    A missing program, one that may not be run, one that does not end in `timeout_s`, another exit status and another output
    are told apart by their words. Raises Trouble where the robot can't be reached.
    """
    if sight.session is None:
        return Finding(unavailable="it needs the robot", cure="look again with the robot connected")
    try:
        ran = sight.run(parameters.argv, parameters.timeout_s)
    except Trouble as trouble:
        if trouble.code != "timeout":
            raise
        words = f"{_shown(parameters)} did not end within {parameters.timeout_s:g} s"
        return _answer(False, words, "find out what it waits for, or give it more time", None)
    return _judged(ran, parameters)


def _judged(ran: Ran, parameters: CommandParameters) -> Finding:
    program, command = parameters.argv[0], _shown(parameters)
    if ran.exit != parameters.expect_exit:
        if ran.exit == NOT_FOUND:
            return _answer(False, f"there is no program {program} on the robot", f"install {program} there", ran)
        if ran.exit == NOT_ALLOWED:
            return _answer(False, f"{program} may not be run by this user", "check its mode and owner", ran)
        words = f"{command} ended with exit {ran.exit}, expected {parameters.expect_exit}{_said(ran)}"
        return _answer(False, words, "run it by hand on the robot and read what it says", ran)
    if not _matches(ran, parameters):
        words = f"{command} did not say what is expected ({parameters.match} match of {parameters.expect_output!r})"
        return _answer(False, f"{words}{_said(ran)}", "run it by hand on the robot and compare", ran)
    return _answer(True, f"{command} ended with exit {ran.exit}{_said(ran)}", "", ran)


def _matches(ran: Ran, parameters: CommandParameters) -> bool:
    text = _text(ran.out[:MATCHED_BYTES])
    look = re.fullmatch if parameters.match == "full" else re.search
    return not parameters.expect_output or look(parameters.expect_output, text) is not None


def _answer(holds: bool, words: str, cure: str, ran: Ran | None) -> Finding:
    details: dict[str, Scalar] = {}
    if ran is not None:
        details = {"exit": ran.exit, "output": _text(ran.out)[:SHOWN]}
        if errors := _text(ran.err)[:SHOWN]:
            details["errors"] = errors
    return Finding(measurement=Answer(holds=holds, words=f"{words} - {cure}" if cure else words), details=details)


def _said(ran: Ran) -> str:
    """The first line of what it said, for the sentence; the whole is in the details."""
    lines = (_text(ran.out) or _text(ran.err)).splitlines()
    return f": {lines[0][:200]}" if lines else ""


def _shown(parameters: CommandParameters) -> str:
    return f"`{shlex.join(parameters.argv)[:200]}`"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").strip()
