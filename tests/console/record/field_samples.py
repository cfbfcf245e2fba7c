"""One body of every kind that a field test writes."""

from __future__ import annotations

from console.fieldtest.running import Measured, Running, Span
from console.record.entries import (
    Attachment,
    Body,
    ConditionSeen,
    ConditionsSet,
    Evaluated,
    FrameScored,
    Intervention,
    Moment,
    PhaseBegun,
    ScoredBox,
    SessionBegun,
    SessionEnded,
    SessionMeasured,
    SessionPaused,
    SessionResumed,
    StopLifted,
    Trial,
    TrialBegun,
    TrialCompleted,
)
from remote.histogram import Histogram

PICTURE = Attachment(digest="b" * 64, name="grip.jpg", media="image/jpeg", bytes=4)
_PRINTS = {"bundle": "3f2a", "robot": "12"}
_SEEN = (ConditionSeen(id="link", met=None, words="the robot can't be seen"),)
_MOMENT = Moment(wall_ns=5, robot_boot_id="b", clock_offset_ms=-0.5)
FIELD_SAMPLES: tuple[Body, ...] = (
    PhaseBegun(phase="lab", rule="r" * 8, reason="another camera", back_from="office", entry=_SEEN),
    SessionBegun(
        phase="lab", rule="r" * 8, conditions={"light": "dim"}, fingerprints=_PRINTS, holding=_SEEN, moment=_MOMENT
    ),
    SessionPaused(session=3, condition="link", why="the link is gone", moment=_MOMENT),
    SessionResumed(session=3, note="it is back", holding=_SEEN, moment=_MOMENT),
    SessionEnded(session=3, stop="in_a_row", why="five in a row", journal="j", last_seq=77, moment=_MOMENT),
    StopLifted(phase="lab", stop="in_a_row", reason="the lamp was off"),
    ConditionsSet(session=3, conditions={"light": "bright"}),
    TrialBegun(session=3),
    Trial(
        session=3,
        phase="lab",
        outcome="failure",
        conditions={"light": "dim"},
        note="slipped",
        began=9,
        crashed=False,
        measures={"took_s": 4.5},
        failures=("f1",),
        fingerprints=_PRINTS,
        attachments=(PICTURE,),
        moment=_MOMENT,
    ),
    TrialCompleted(session=3, trial=10, crashed=True, moment=_MOMENT),
    Intervention(session=3, note="pushed the stop", moment=_MOMENT),
    FrameScored(
        session=3,
        phase="lab",
        by="person",
        frame=400,
        right=2,
        wrong=0,
        missed=1,
        boxes=(ScoredBox("cup", 0.9, 1.0, 2.0, 3.5, 4.5, "right"),),
        picture=PICTURE,
        fingerprints=_PRINTS,
        moment=_MOMENT,
    ),
    SessionMeasured(
        session=3,
        measured=Measured(
            running=Running(wanted_s=60.0, known_s=59.5, up_s=58.0, crashes=1),
            spreads={"inference_ms": Histogram.of([41.5, 44.0])},
            means={"cpu_percent": 30.5},
            readings={"cpu_percent": 60},
            spans=(Span(journal="j", first_seq=1, last_seq=9, digest="d" * 64),),
        ),
        moment=_MOMENT,
    ),
    Evaluated(bundle="3f2a", figures={"map_50": 61.5}, pictures=200, labels="l" * 64, method="COCO"),
)
