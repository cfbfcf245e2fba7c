"""What is said of releases on the screen and headless: nobody believes that a release runs which only waits."""

from __future__ import annotations

import msgspec

from console.models.wording import look_words, update_words
from remote.model_states import ModelsState, Slot, UpdateSource, UpdateState

STATE = UpdateState(
    source=UpdateSource(url="file:///up", robot_class="gripper"), says="took release 2, tiny", release=2
)


def test_the_line_of_releases_says_each_release_once() -> None:
    assert update_words(STATE) == "file:///up as gripper: took release 2, tiny"
    other = msgspec.structs.replace(STATE, says="release 20 is not open to the robot orin")
    assert update_words(other) == "file:///up as gripper, took release 2: release 20 is not open to the robot orin"
    assert update_words(msgspec.structs.replace(STATE, release=None, says="")) == "file:///up as gripper"


def test_a_release_that_was_taken_and_waits_is_not_said_to_be_in_use() -> None:
    candidate = Slot(digest="a" * 64, name="tiny", origin="release", release=2)
    waiting = ModelsState(candidate=candidate, step="waiting_for_safe", waits_for="the arm moves", updates=STATE)
    said = look_words(waiting)
    assert said.startswith("took release 2, tiny; it is being brought into use: ")
    assert said.endswith("waits: the arm moves")
    assert look_words(ModelsState(updates=STATE)) == "took release 2, tiny"
    assert look_words(None) == "it looked"
