"""Every kind of entry has its line: one without would end `campaign log` for the whole record."""

from __future__ import annotations

import typing

from console.campaigns.entry_words import _SAID, _WORDS, body_words
from console.record.entries import Body
from tests.console.record.record_samples import SAMPLES


def test_every_kind_of_entry_has_its_words() -> None:
    tags = {str(kind.__struct_config__.tag) for kind in typing.get_args(Body)}
    assert tags == set(_SAID) | set(_WORDS)
    assert not set(_SAID) & set(_WORDS)


def test_the_line_of_each_kind_says_what_happened() -> None:
    said = dict(body_words(body) for body in SAMPLES)
    assert said["phase_begun"] == "lab, back from office: another camera (not met: the robot can't be seen)"
    assert said["session_paused"] == "session 3: the link is gone (link)"
    assert said["trial"] == "lab, session 3: failure: light dim; slipped"
    assert said["frame_scored"] == "lab, frame 400 by person: 2 right, 0 wrong, 1 missed"
    assert said["session_measured"] == "session 3: 0.02 h known, up 0.02 h, 1 crashes, 0 hangs, 0 reboots"
    assert said["evaluated"].endswith("on 200 labelled pictures: map_50 61.5 %")
    assert all(said.values())
