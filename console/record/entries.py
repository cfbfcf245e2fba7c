"""Every entry of a campaign's record, as msgspec structs; docs/record.md describes them for other readers.

An entry is one line of canonical JSON (console.record.canonical); its digest is the SHA-256 of that line, and `prev` is the
digest of the line before. Nothing in a record is ever changed or removed: states are computed by folding the entries
(console.checklist.folding.fold). Times ending in `_wall_ns` are nanoseconds since the Unix epoch.
"""

from __future__ import annotations

from typing import Literal, Union

import msgspec

from console.fieldtest.criteria import Judgement, Measurement
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
    """An entry (confirmation, override, deferral, signature, poll answer) no longer counts; it stays in the record."""

    seq: int
    reason: str


class Note(msgspec.Struct, frozen=True, tag="note", kw_only=True):
    """A person's words, on an item or on the campaign (item empty)."""

    item: str = ""
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
    the digest of the entry that it rests on; `head` is the number of the last entry before it. `local_time` is ISO 8601
    with its offset, as the signer's clock said.
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


class GatePassed(msgspec.Struct, frozen=True, tag="gate_passed", kw_only=True):
    """A stage's gate was opened: every condition held, by the signatures in these entries."""

    stage: str
    signatures: tuple[int, ...]


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
