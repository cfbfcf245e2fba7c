"""Every entry of a campaign's record, as msgspec structs; docs/record.md describes them for other readers.

An entry is one line of canonical JSON (console.record.canonical); its digest is the SHA-256 of that line, and `prev` is the
digest of the line before. Nothing in a record is ever changed or removed: states are computed by folding the entries
(console.checklist.folding.fold). Times ending in `_wall_ns` are nanoseconds since the Unix epoch.
"""

from __future__ import annotations

from typing import Literal, Union

import msgspec

from console.fieldtest.criteria import Judgement, Measurement
from console.fieldtest.running import Measured
from remote.protocol import Scalar

Meaning = Literal["performed", "witnessed", "reviewed", "approved"]
FINGERPRINTS: dict[str, str] = {
    "bundle": "the model with its contract and manifest",
    "contract": "how the model's input and output are to be read",
    "engine": "what runs the model, with its version",
    "calibration": "the camera's calibration file",
    "robot": "the robot's computer: L4T, TensorRT, kernel, agent",
    "power_mode": "the power mode of the robot's computer",
    "source": "the camera or other source of pictures",
}
"""What evidence may rest on, beside `file:NAME` (a file's SHA-256) and the item's own rule."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """When and how fresh: both clocks, their offset (robot minus laptop), how old the last word of the robot was.

    What belongs to the robot is None where it was not asked or not reached.
    """

    wall_ns: int
    robot_wall_ns: int | None = None
    robot_mono_ns: int | None = None
    robot_boot_id: str | None = None
    clock_offset_ms: float | None = None
    link_age_ms: float | None = None


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file kept with the record under its SHA-256 (hex). `name` is the name that it had, `media` its media type."""

    digest: str
    name: str
    media: str
    bytes: int


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at one item found.

    `source` is the probe's name, or `person` for a value that somebody entered. Exactly one of `judgement` and
    `unavailable` (the reason why it could not be seen) is given. `limit` says the criterion in words. `fingerprints` are those
    that this rests on, as they were; `rule` is the digest of the item that judged. `details` are further numbers that the
    screen and the report show.
    """

    source: str
    measurement: Measurement | None = None
    judgement: Judgement | None = None
    unavailable: str = ""
    limit: str = ""
    moment: Moment
    took_ms: float = 0.0
    fingerprints: dict[str, str] = {}
    rule: str
    attachments: tuple[Attachment, ...] = ()
    details: dict[str, Scalar] = {}


class Transcribed(msgspec.Struct, frozen=True):
    """This was written on paper first: by whom, when (ISO 8601, as on the paper)."""

    by: str
    at: str


# ---------------------------------------------------------------- bodies


class Opened(msgspec.Struct, frozen=True, tag="opened", kw_only=True):
    """The first entry. `pack`, `overlays` and `roster` are attachments with the very text that is in force.

    `revision` is the digest of pack and overlays together; `files` the folder on the laptop that relative paths belong to.
    """

    campaign: str
    robot: str
    bundle: str
    bundle_name: str
    pack_name: str
    revision: str
    pack: Attachment
    overlays: tuple[Attachment, ...] = ()
    roster: Attachment | None = None
    kpis: Attachment | None = None
    files: str = ""
    software: str


class Revised(msgspec.Struct, frozen=True, tag="revised", kw_only=True):
    """From here on another bundle, pack revision or roster is in force; None: unchanged. What rested on the old goes stale."""

    reason: str
    bundle: str | None = None
    bundle_name: str | None = None
    revision: str | None = None
    pack: Attachment | None = None
    overlays: tuple[Attachment, ...] | None = None
    roster: Attachment | None = None
    kpis: Attachment | None = None


class Seen(msgspec.Struct, frozen=True, tag="seen", kw_only=True):
    """Fingerprints as they are now, written when one differs from the last that was seen. `facts` are their words."""

    fingerprints: dict[str, str]
    facts: dict[str, str] = {}
    moment: Moment


class Attempt(msgspec.Struct, frozen=True, tag="attempt", kw_only=True):
    """One look at a sensed or measured item. `item` is its id."""

    item: str
    evidence: Evidence


class Confirmation(msgspec.Struct, frozen=True, tag="confirmation", kw_only=True):
    """A person vouches for an item, or says no to it.

    `meaning` is performed or witnessed. `statement` is the sentence that was on the screen. `looked_ms` is how long it was
    shown; `too_quick` that this was less than a person needs. `challenge` says which check of a critical item was answered
    (never the answer). `after_act` is the number of the entry in which the item's command was run.
    """

    item: str
    meaning: Meaning
    holds: bool
    statement: str
    note: str = ""
    challenge: str = ""
    looked_ms: int | None = None
    too_quick: bool = False
    rule: str
    fingerprints: dict[str, str] = {}
    attachments: tuple[Attachment, ...] = ()
    transcribed: Transcribed | None = None


class Act(msgspec.Struct, frozen=True, tag="act", kw_only=True):
    """An item's command was carried out on the robot on a person's word; the probe verifies it afterwards."""

    item: str
    command: str
    exit: int | None
    output: str


class Override(msgspec.Struct, frozen=True, tag="override", kw_only=True):
    """Somebody lets an item stand though it is not passed: who (the entry's `person`), in which role, why, until when."""

    item: str
    role: str
    reason: str
    expires_wall_ns: int


class Deferral(msgspec.Struct, frozen=True, tag="deferral", kw_only=True):
    """An item is put off to a later stage, which it then blocks. `owner` is who answers for it."""

    item: str
    role: str
    until_stage: str
    owner: str
    reason: str


class Fix(msgspec.Struct, frozen=True, tag="fix", kw_only=True):
    """What was done about a failure: `failure_seq` is the failed attempt's or confirmation's entry. Frees a latched item."""

    item: str
    failure_seq: int
    text: str


class Withdrawal(msgspec.Struct, frozen=True, tag="withdrawal", kw_only=True):
    """An entry (confirmation, override, deferral, signature, poll answer, trial, score) no longer counts; it stays in the
    record.
    """

    seq: int
    reason: str


class Note(msgspec.Struct, frozen=True, tag="note", kw_only=True):
    """A person's words, on an item, on the entry `about` (a trial; 0: none), or on the campaign."""

    item: str = ""
    about: int = 0
    text: str
    attachments: tuple[Attachment, ...] = ()


class Poll(msgspec.Struct, frozen=True, tag="poll", kw_only=True):
    """One person's go or no-go before a stage's gate. `basis` is the digest of what it was given on: any change resets it."""

    stage: str
    role: str
    go: bool
    note: str = ""
    basis: str


class Signature(msgspec.Struct, frozen=True, tag="signature", kw_only=True):
    """A signed statement. `statement` is the attachment that was signed, `armored` the SSH signature over its bytes.

    `principal`, `name` and `role` are the roster's, `key` the key's SHA256 fingerprint. `covers` maps each item of the stage to
    the digest of the entry that it rests on, `phases` each phase that the gate wants passed to the digest of what its verdict
    rests on; `head` is the number of the last entry before it. `local_time` is ISO 8601 with its offset, as the signer's clock
    said.
    """

    stage: str
    meaning: Meaning
    principal: str
    name: str
    role: str
    key: str
    statement: Attachment
    armored: str
    covers: dict[str, str]
    head: int
    local_time: str
    phases: dict[str, str] = {}


class GatePassed(msgspec.Struct, frozen=True, tag="gate_passed", kw_only=True):
    """A stage's gate was opened: every condition held, by the signatures in these entries."""

    stage: str
    signatures: tuple[int, ...]


# ---------------------------------------------------------------- field testing


class ConditionSeen(msgspec.Struct, frozen=True, kw_only=True):
    """An entry or holding condition as it was found: met, not met, or not known (None), with the reason in words."""

    id: str
    met: bool | None
    words: str


class PhaseBegun(msgspec.Struct, frozen=True, tag="phase_begun", kw_only=True):
    """A phase of field testing is begun, or gone back to (`back_from` names the phase that was left, `reason` says why).

    `rule` is the digest of what decides in the phase: its questions and plans are thereby stated before the first trial.
    """

    phase: str
    rule: str
    reason: str = ""
    back_from: str = ""
    entry: tuple[ConditionSeen, ...] = ()


class SessionBegun(msgspec.Struct, frozen=True, tag="session_begun", kw_only=True):
    """People begin to test. Its entry's number names the session. `conditions` are carried over into each trial.

    `journal` and `first_seq` say where the robot's journal stood; empty and 0 where the robot was not asked.
    """

    phase: str
    rule: str
    conditions: dict[str, str] = {}
    fingerprints: dict[str, str] = {}
    holding: tuple[ConditionSeen, ...] = ()
    journal: str = ""
    first_seq: int = 0
    moment: Moment


class SessionPaused(msgspec.Struct, frozen=True, tag="session_paused", kw_only=True):
    """A session is paused: a holding condition was left (`condition` is its id) or a person wants it (empty)."""

    session: int
    condition: str = ""
    why: str
    moment: Moment


class SessionResumed(msgspec.Struct, frozen=True, tag="session_resumed", kw_only=True):
    """A person lets a paused session go on, with the holding conditions as they are now."""

    session: int
    note: str = ""
    holding: tuple[ConditionSeen, ...] = ()
    moment: Moment


class SessionEnded(msgspec.Struct, frozen=True, tag="session_ended", kw_only=True):
    """A session is over. `stop` is the id of the stop rule that ended it, empty where a person did."""

    session: int
    stop: str = ""
    why: str = ""
    journal: str = ""
    last_seq: int = 0
    moment: Moment


class StopLifted(msgspec.Struct, frozen=True, tag="stop_lifted", kw_only=True):
    """Somebody says why testing may go on after a stop rule: what was found, what was done. Its count begins anew."""

    phase: str
    stop: str
    reason: str


class ConditionsSet(msgspec.Struct, frozen=True, tag="conditions_set", kw_only=True):
    """From here on these conditions, all of them, are carried over into the session's trials."""

    session: int
    conditions: dict[str, str]


Outcome = Literal["success", "failure", "aborted"]


class TrialBegun(msgspec.Struct, frozen=True, tag="trial_begun", kw_only=True):
    """An attempt has begun; only where somebody wants its duration. One without an outcome is shown as open, never counted."""

    session: int


class Trial(msgspec.Struct, frozen=True, tag="trial", kw_only=True):
    """One attempt and how it came out.

    `began` is the number of its TrialBegun entry, if there was one. `intervened`: a person had to help. `crashed`: the worker
    crashed during it (None: not known). `measures` are numbers of this attempt by name with the unit in it (`took_s`,
    `tracking_error_mm`). `failures` are ids of failures on the robot that belong to it.
    """

    session: int
    phase: str
    outcome: Outcome
    conditions: dict[str, str] = {}
    note: str = ""
    began: int | None = None
    intervened: bool = False
    crashed: bool | None = None
    measures: dict[str, float] = {}
    failures: tuple[str, ...] = ()
    fingerprints: dict[str, str] = {}
    attachments: tuple[Attachment, ...] = ()
    moment: Moment


class TrialCompleted(msgspec.Struct, frozen=True, tag="trial_completed", kw_only=True):
    """What the robot said of a trial after that was written: nobody waits for a robot before their word is safe.

    `trial` is the number of the Trial's entry. `crashed`: the worker crashed during it (None: not known all the same). It says
    nothing of a trial that knew by itself, and the first one of a trial counts. `moment` is when the robot was looked at.
    """

    session: int
    trial: int
    crashed: bool | None = None
    moment: Moment


class Intervention(msgspec.Struct, frozen=True, tag="intervention", kw_only=True):
    """A person had to step in while the robot worked, outside of a trial."""

    session: int
    note: str = ""
    moment: Moment


class ScoredBox(msgspec.Struct, frozen=True, array_like=True):
    """One box of a scored frame: `verdict` right, wrong (reported, not there) or missed (there, not reported; score 0).

    Corners in pixels of the frame.
    """

    label: str
    score: float
    x1: float
    y1: float
    x2: float
    y2: float
    verdict: Literal["right", "wrong", "missed"]


class FrameScored(msgspec.Struct, frozen=True, tag="frame_scored", kw_only=True):
    """A frame drawn at random from the stream and scored, by a person (who looked at its picture) or by a scene file.

    `missed` counts objects that were not reported, also those that nobody drew a box around. `drawn` says how it was drawn.
    Where it was drawn for a sheet, `draw` names that sheet's frames and `draw_of` is how many there are.
    """

    session: int
    phase: str
    by: Literal["person", "scene"]
    frame: int
    run: int = 0
    right: int
    wrong: int
    missed: int
    boxes: tuple[ScoredBox, ...] = ()
    drawn: str = ""
    draw: str = ""
    draw_of: int = 0
    picture: Attachment | None = None
    conditions: dict[str, str] = {}
    note: str = ""
    fingerprints: dict[str, str] = {}
    moment: Moment


class SessionMeasured(msgspec.Struct, frozen=True, tag="session_measured", kw_only=True):
    """What the robot's journal says of a session, as far as it has come to the laptop; the last one of a session counts."""

    session: int
    measured: Measured
    fingerprints: dict[str, str] = {}
    moment: Moment


class Evaluated(msgspec.Struct, frozen=True, tag="evaluated", kw_only=True):
    """A bundle was scored on labelled pictures: `figures` by the names of console.fieldtest.measures (in per cent).

    `pictures` are their number, `labels` is the SHA-256 of the label file, `method` what computed it.
    """

    bundle: str
    figures: dict[str, float]
    pictures: int
    labels: str
    method: str


Body = Union[
    Opened,
    Revised,
    Seen,
    Attempt,
    Confirmation,
    Act,
    Override,
    Deferral,
    Fix,
    Withdrawal,
    Note,
    Poll,
    Signature,
    GatePassed,
    PhaseBegun,
    SessionBegun,
    SessionPaused,
    SessionResumed,
    SessionEnded,
    StopLifted,
    ConditionsSet,
    TrialBegun,
    Trial,
    TrialCompleted,
    Intervention,
    FrameScored,
    SessionMeasured,
    Evaluated,
]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. `seq` counts from 1 without holes. `person` is who sat at the keyboard, as they said; a signature proves it.

    `wall_ns` never runs backwards within a record: where the laptop's clock does, `clock_back_ms` says by how much.
    """

    seq: int
    prev: str
    wall_ns: int
    clock_back_ms: float = 0.0
    person: str
    body: Body
