"""Every message between a console and an agent, one JSON object a line, tagged by `type`.

The wire is described for writers of other clients in docs/protocol.md. Times ending in `_mono_ns` are nanoseconds of the
robot's monotonic clock and mean something only together with `boot_id`; `_wall_ns` are nanoseconds since the Unix epoch by
the robot's own clock, which may be wrong. A decoder ignores fields it does not know.
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar, Union

import msgspec

from remote.errors import Trouble
from remote.histogram import Histogram
from remote.model_states import ModelsState, Probation, StoredBundle, UpdateSource
from remote.verdicts import ValidationReport

PROTOCOL = 1
OLDEST_PROTOCOL = 1
LINE_LIMIT_BYTES = 8 * 1024 * 1024
STAGES = ("capture", "preprocess", "inference", "postprocess", "end_to_end")
SAMPLES_PER_S_MAX = 30.0

Scalar = Union[str, int, float, bool, None]
Severity = Literal["info", "warning", "error"]
WorkerPhase = Literal["stopped", "starting", "running", "stopping", "waiting_to_restart"]
CameraPhase = Literal["ok", "opening", "stalled", "frozen", "black", "gone"]


# ---------------------------------------------------------------- what is seen


class Detection(msgspec.Struct, frozen=True, array_like=True):
    """One box: class index into the bundle's labels, score in [0, 1], corners in pixels of the camera's frame."""

    label_index: int
    score: float
    x1: float
    y1: float
    x2: float
    y2: float


class LabelCount(msgspec.Struct, frozen=True, array_like=True):
    """Detections of one label in one window: how many, in how many frames, and the scores' sum, minimum and maximum."""

    count: int
    frames: int
    score_sum: float
    score_min: float
    score_max: float


class CameraHealth(msgspec.Struct, frozen=True):
    """What the camera is doing. `brightness` is the last frame's mean grey level in [0, 255]; None before a frame."""

    phase: CameraPhase
    reason: str = ""
    brightness: float | None = None
    reopened: int = 0


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An object that is known to be in view: its label, and where (corners in pixels of the frame; None: anywhere)."""

    label: str
    box: tuple[float, float, float, float] | None = None


class Constraints(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a result must keep within, or it is a `constraint_hit`; None: no such limit. Shares are of the frame's area."""

    max_boxes: int | None = None
    min_box_share: float | None = None
    max_box_share: float | None = None


class Watch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the robot is told to look out for, and under which conditions it works: goes into windows and failures.

    `conditions`: words by name (place, light, people, phase, ...). `expected`: objects that are known to be there; `complete`
    says that there is nothing else, so that any other box is false. `own_truth`: the source itself knows what is in its
    pictures (`scene:`), count against that. `min_iou`: how much boxes must overlap to be the same object. `low_confidence`: a
    frame whose best score lies below it (but above the contract's threshold) is a failure. `latency_budget_ms`: of
    end_to_end. `flicker_changes`: so many changes of the label of one object within `flicker_s`. `miss_frames`: so many
    frames in a row without an expected object are one `no_detection`.
    """

    conditions: dict[str, str] = {}
    expected: tuple[Expectation, ...] = ()
    complete: bool = False
    own_truth: bool = False
    min_iou: float = 0.5
    miss_frames: int = 5
    low_confidence: float | None = None
    latency_budget_ms: float | None = None
    flicker_changes: int | None = None
    flicker_s: float = 2.0
    constraints: Constraints = Constraints()


class Scored(msgspec.Struct, frozen=True):
    """Frames of a window in which the objects were known: how many frames, objects found, missed, and boxes where nothing is.

    `extra` is None where it was not known that there is nothing else.
    """

    frames: int
    found: int
    missed: int
    extra: int | None = None


class Sample(msgspec.Struct, frozen=True, tag="sample"):
    """The newest frame, for live display; may be dropped when the link is slow, is never journalled."""

    capture_mono_ns: int
    frame: int
    width: int
    height: int
    stages_ms: dict[str, float]
    detections: tuple[Detection, ...]


# ---------------------------------------------------------------- journal entries


class Window(msgspec.Struct, frozen=True, tag="window", tag_field="kind", kw_only=True):
    """One second of the worker's work.

    `run` numbers the worker's starts on this robot, `window` the windows of that run from 0. `stages_ms` maps each of
    STAGES to the histogram of its milliseconds over the window's frames. `dropped` counts frames that the camera gave and
    nobody processed. `labels` maps a label to its counts. `bundle` is the bundle's digest. `conditions` and `scored` come
    from the Watch in force.
    """

    run: int
    window: int
    start_mono_ns: int
    span_ms: float
    frames: int
    dropped: int = 0
    failed: int = 0
    frames_with_detections: int = 0
    stages_ms: dict[str, Histogram]
    labels: dict[str, LabelCount] = {}
    camera: CameraHealth
    source: str
    bundle: str
    conditions: dict[str, str] = {}
    scored: Scored | None = None

    @property
    def fps(self) -> float | None:
        """Frames processed a second over the window's real span; None for an empty span."""
        return self.frames * 1000 / self.span_ms if self.span_ms > 0 else None


class Host(msgspec.Struct, frozen=True, tag="host", tag_field="kind", kw_only=True):
    """The computer's state once a second. Keys are names of remote.metrics.

    `values` holds single numbers, `series` a number for each part (core, sensor, rail, process), `unavailable` the reason
    why a metric could not be read now. `text` holds words such as the power mode.
    """

    values: dict[str, float] = {}
    series: dict[str, dict[str, float]] = {}
    text: dict[str, str] = {}
    unavailable: dict[str, str] = {}


class Event(msgspec.Struct, frozen=True, tag="event", tag_field="kind", kw_only=True):
    """Something that happened: `name` is a stable snake_case word (docs/protocol.md lists them), `text` a sentence."""

    name: str
    severity: Severity
    text: str
    data: dict[str, Scalar] = {}


class Failure(msgspec.Struct, frozen=True, tag="failure", tag_field="kind", kw_only=True):
    """Something the robot got wrong.

    `name` is one of FAILURES. `id` names it for ever: no two failures of a robot share one. `picture` is the SHA-256 of a JPEG
    that `GetPicture` fetches, None where there is none; `before` of the newest picture from about 5 s earlier. What came after
    is told by a Clip. `detections` are those of that frame, in pixels of a frame of `width` x `height`. `light` is the mean
    grey level of the picture, 0 to 255. `conditions` are the Watch's.
    """

    name: str
    text: str
    id: str = ""
    frame: int | None = None
    picture: str | None = None
    before: str | None = None
    stages_ms: dict[str, float] = {}
    detections: tuple[Detection, ...] = ()
    width: int = 0
    height: int = 0
    light: float | None = None
    conditions: dict[str, str] = {}
    source: str = ""
    bundle: str = ""
    data: dict[str, Scalar] = {}


class ClipFrame(msgspec.Struct, frozen=True, array_like=True):
    """One picture of a clip: milliseconds after the failure (negative: before), and the SHA-256 of its JPEG."""

    offset_ms: float
    picture: str


class Clip(msgspec.Struct, frozen=True, tag="clip", tag_field="kind", kw_only=True):
    """The pictures around a failure, journalled when the last of them is there: for a mark from 5 s before to 5 s after.

    `failure` is its id. `reason` says why pictures are missing; empty where none are.
    """

    failure: str
    frames: tuple[ClipFrame, ...]
    reason: str = ""


FAILURES: dict[str, str] = {
    "inference_error": "the engine raised on a frame",
    "bad_output": "the model gave NaN, infinity or an impossible box",
    "bad_frame": "a picture could not be decoded",
    "camera_gone": "the camera can't be opened or stopped answering",
    "camera_stalled": "no new frame within the time allowed",
    "camera_frozen": "the camera sends the same frame again and again",
    "camera_black": "the camera sends black frames",
    "worker_crash": "the worker process ended without being asked to",
    "worker_hang": "the worker stopped reporting and was killed",
    "no_detection": "an object that is known to be in view was not detected",
    "low_confidence": "the best score of a frame lies below the limit",
    "class_flicker": "the label of one object changes again and again",
    "latency_over_budget": "a frame took longer from picture to result than allowed",
    "constraint_hit": "a result lies outside of what is possible there",
    "operator_mark": "a person marked this moment",
}

Body = Union[Window, Host, Event, Failure, Clip]
KINDS = ("window", "host", "event", "failure", "clip")


class Entry(msgspec.Struct, frozen=True):
    """One journal entry. `seq` counts from 1 without holes within `journal` (the journal's own id, see Hello).

    `body` is kept as the bytes that the agent wrote, so that both ends store the same; `body_of` decodes it.
    """

    seq: int
    boot_id: str
    mono_ns: int
    wall_ns: int
    body: msgspec.Raw


# ---------------------------------------------------------------- state


class WorkerState(msgspec.Struct, frozen=True):
    """The worker process. `since_mono_ns` is when `phase` began; `last_exit` says how the previous one ended."""

    phase: WorkerPhase
    since_mono_ns: int
    run: int = 0
    pid: int | None = None
    restarts: int = 0
    last_exit: str = ""


class BundleState(msgspec.Struct, frozen=True):
    """A bundle on the robot: its digest, its contract's name and its labels in order."""

    digest: str
    name: str
    labels: tuple[str, ...] = ()


class LeaseState(msgspec.Struct, frozen=True):
    """Who may command, in which epoch, until when. `last_taken_from` names the holder that was displaced, if any."""

    holder: str
    client_id: str
    epoch: int
    expires_mono_ns: int
    last_taken_from: str = ""


class JournalState(msgspec.Struct, frozen=True):
    """The journal: its id (new when the file is new), the first and last sequence numbers kept, its size on disk.

    `trouble` says why entries can't be written now (a full disk); empty while they can.
    """

    id: str
    first_seq: int
    last_seq: int
    bytes: int
    trouble: str = ""


class AgentState(msgspec.Struct, frozen=True, tag="state", kw_only=True):
    """Everything that commands change; sent after each change and in every reply to a command.

    `source` and `bundle` are what the worker uses or will use when started; None when none was chosen. `watch` is what the
    robot looks out for, None where it was not told.
    `models` says which bundle runs, which one was before, and how far a change is; None from an agent that is too old.
    `consoles` names everyone attached. `on_link_loss` is what the agent does when the lease holder vanishes.
    """

    version: int
    mono_ns: int
    worker: WorkerState
    source: str | None
    bundle: BundleState | None
    lease: LeaseState | None
    epoch: int
    journal: JournalState
    consoles: tuple[str, ...] = ()
    on_link_loss: Literal["continue", "stop"] = "continue"
    drills: bool = False
    watch: Watch | None = None
    models: ModelsState | None = None


# ---------------------------------------------------------------- agent -> console


class AgentHello(msgspec.Struct, frozen=True, tag="agent_hello", kw_only=True):
    """The agent's first line on every connection."""

    protocol: int
    oldest_protocol: int
    software: str
    robot: str
    boot_id: str
    journal: str
    mono_ns: int
    wall_ns: int


class Entries(msgspec.Struct, frozen=True, tag="entries"):
    """Journal entries in ascending order of `seq`, each following the previous one the connection carried."""

    entries: tuple[Entry, ...]


class Lost(msgspec.Struct, frozen=True, tag="lost"):
    """Entries `first_seq`..`last_seq` were asked for and are gone from the robot (its disk limit removed them)."""

    first_seq: int
    last_seq: int


class Pong(msgspec.Struct, frozen=True, tag="pong"):
    """Answer to a Ping, stamped by the agent when it read it."""

    id: int
    mono_ns: int
    wall_ns: int


class ErrorInfo(msgspec.Struct, frozen=True):
    """Why a request was refused: a stable code, a sentence, and what to do."""

    code: str
    what: str
    cure: str = ""

    @classmethod
    def of(cls, trouble: Trouble) -> ErrorInfo:
        """The trouble as part of a message."""
        return cls(trouble.code, trouble.what, trouble.cure)

    def trouble(self) -> Trouble:
        """What whoever reads it raises."""
        return Trouble(self.what, cure=self.cure, code=self.code)


class SourceTruth(msgspec.Struct, frozen=True):
    """What a source itself knows of one frame: every object in it, in pixels of the frame, and there is nothing else.

    `ignored` are boxes (x1, y1, x2, y2) around what is too hidden to say: it need not be found, and a detection of which more
    than half lies within one of them counts neither way.
    """

    objects: tuple[Expectation, ...]
    ignored: tuple[tuple[float, float, float, float], ...] = ()


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A JPEG (base64 on the wire) and, for a live frame, what was detected in it.

    `width` and `height` are those of the camera's frame, to which the boxes belong; the JPEG may be smaller. `truth` is what
    the source itself knows of a live frame (`scene:`, a folder with label files), None where it knows nothing.
    """

    jpeg: bytes
    digest: str
    width: int
    height: int
    frame: int | None = None
    capture_mono_ns: int | None = None
    detections: tuple[Detection, ...] = ()
    truth: SourceTruth | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What this robot is and runs: the things whose change makes earlier measurements stale.

    `serial` is the serial number on the computer's label where it can be read, else its machine id (`serial_source` says
    which). `bundle` and `contract` are SHA-256 of the manifest and of contract.yaml of the bundle that runs or will run,
    `engine` what runs it ("ONNX Runtime 1.23.2, CPU, 1 thread"); `calibration` the SHA-256 of the source's calibration
    file. `words` are further facts by name: model, l4t, jetpack, tensorrt, cuda, kernel, machine, python, agent. An empty
    text: not known here.
    """

    serial: str
    serial_source: str
    bundle: str = ""
    contract: str = ""
    engine: str = ""
    calibration: str = ""
    source: str = ""
    power_mode: str = ""
    words: dict[str, str] = {}
    mono_ns: int
    wall_ns: int


class BundleReport(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that was verified, loaded and run on this robot: its engine, and the engine's times over `runs` runs."""

    digest: str
    name: str
    engine: str
    runs: int
    inference_p50_ms: float
    inference_max_ms: float
    model_bytes: int


class Choice(msgspec.Struct, frozen=True):
    """A source or a bundle that this robot offers: `value` is what a command takes, `text` says what it is."""

    value: str
    text: str


class Reply(msgspec.Struct, frozen=True, tag="reply", kw_only=True):
    """The one answer to a Request: `error` is None exactly when it was done and confirmed. `seq` is the entry it wrote."""

    id: str
    error: ErrorInfo | None = None
    state: AgentState | None = None
    picture: Picture | None = None
    choices: tuple[Choice, ...] = ()
    facts: Facts | None = None
    bundle_report: BundleReport | None = None
    validation: ValidationReport | None = None
    stored: tuple[StoredBundle, ...] = ()
    seq: int | None = None


class Refusal(msgspec.Struct, frozen=True, tag="error"):
    """A line that could not be served: unreadable, too long, unknown, or before the hello. The connection may close."""

    error: ErrorInfo


# ---------------------------------------------------------------- console -> agent


class ConsoleHello(msgspec.Struct, frozen=True, tag="console_hello", kw_only=True):
    """The console's first line. `client_id` is stable for this laptop's store, `name` is shown to others (user@host)."""

    protocol: int
    oldest_protocol: int
    software: str
    client_id: str
    name: str


class Subscribe(msgspec.Struct, frozen=True, tag="subscribe"):
    """Send every entry after `after_seq`, then go on; samples at most `samples_per_s` (0: none)."""

    after_seq: int
    samples_per_s: float = 0.0


class Ack(msgspec.Struct, frozen=True, tag="ack"):
    """This console has stored everything up to `seq` durably; the agent may let it go when space is short."""

    seq: int


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Measures round trip and clock offset; answered at once."""

    id: int


class GetState(msgspec.Struct, frozen=True, tag="get_state", tag_field="do"):
    """Answered with the state. Needs no lease."""


class GetChoices(msgspec.Struct, frozen=True, tag="get_choices", tag_field="do"):
    """Answered with `choices`: the sources or the bundles this robot offers. Needs no lease."""

    of: Literal["sources", "bundles"]


class GetFrame(msgspec.Struct, frozen=True, tag="get_frame", tag_field="do"):
    """Answered with the worker's newest frame as a picture at most `max_width` pixels wide. Needs no lease."""

    max_width: int = 640


class GetPicture(msgspec.Struct, frozen=True, tag="get_picture", tag_field="do"):
    """Answered with a failure's picture by digest. Needs no lease."""

    digest: str


class GetFacts(msgspec.Struct, frozen=True, tag="get_facts", tag_field="do"):
    """Answered with `facts`, looked up afresh. Needs no lease."""


class CheckBundle(msgspec.Struct, frozen=True, tag="check_bundle", tag_field="do"):
    """Verify, load, warm up and run a bundle in a process of its own; answered with `bundle_report` or what is wrong with it.

    Needs no lease. `digest` is a bundle on the robot (or an unambiguous prefix of 8 or more). One at a time.
    """

    digest: str


class GetStored(msgspec.Struct, frozen=True, tag="get_stored", tag_field="do"):
    """Answered with `stored`: every bundle in the robot's store. Needs no lease."""


class Validate(msgspec.Struct, frozen=True, tag="validate", tag_field="do"):
    """Run the validation suite on a bundle of the robot in a process of its own; answered with `validation`.

    Needs no lease. One at a time, not together with CheckBundle. `runs` are those of the latency, `limits` are given instead of
    the profile's, by name (docs/validation.md lists them).
    """

    digest: str
    profile: Literal["jetson", "x86"]
    runs: int = 299
    limits: dict[str, float] = {}


class Note(msgspec.Struct, frozen=True, tag="note", tag_field="do"):
    """Write an event named `note` into the journal; answered with its `seq` once it is durable. Needs no lease."""

    text: str


class TakeLease(msgspec.Struct, frozen=True, tag="take_lease", tag_field="do"):
    """Become the one who commands. Refused with `lease_held` while another holds it, unless `over` names that epoch."""

    over: int | None = None


class RenewLease(msgspec.Struct, frozen=True, tag="renew_lease", tag_field="do"):
    """Extend the lease; needs its epoch."""


class ReleaseLease(msgspec.Struct, frozen=True, tag="release_lease", tag_field="do"):
    """Give the lease back; needs its epoch."""


class Start(msgspec.Struct, frozen=True, tag="start", tag_field="do"):
    """Start the worker; confirmed when it runs (its engine is loaded and its camera opened)."""


class Stop(msgspec.Struct, frozen=True, tag="stop", tag_field="do"):
    """Stop the worker; confirmed when the process has ended."""


class SetSource(msgspec.Struct, frozen=True, tag="set_source", tag_field="do"):
    """Choose the camera: `scene:`, `folder:PATH`, `video:PATH`, `v4l2:DEVICE`. A running worker is restarted with it."""

    source: str


class SetBundle(msgspec.Struct, frozen=True, tag="set_bundle", tag_field="do"):
    """Choose the bundle by digest (or an unambiguous prefix of 8 or more). A running worker is restarted with it."""

    digest: str


class Activate(msgspec.Struct, frozen=True, tag="activate", tag_field="do"):
    """Bring a bundle of the robot's store into use by all steps: build, self-test, wait for safe, switch, probation.

    Answered when the change has begun; AgentState.models tells how it goes, the journal how it went. The robot goes on by
    itself without a console. Refused with `update_underway` while another change is.
    """

    digest: str
    probation: Probation | None = None


class CancelChange(msgspec.Struct, frozen=True, tag="cancel_change", tag_field="do"):
    """End the change that is under way: before the switch nothing changes, in probation the one before comes back."""

    reason: str


class GoBack(msgspec.Struct, frozen=True, tag="go_back", tag_field="do"):
    """Bring back the bundle that ran before the present one; answered when the change has begun."""

    reason: str


class RemoveBundle(msgspec.Struct, frozen=True, tag="remove_bundle", tag_field="do"):
    """Remove a bundle from the robot's store; refused (`bundle_in_use`) for one in a slot."""

    digest: str


class Shadow(msgspec.Struct, frozen=True, tag="shadow", tag_field="do"):
    """Let a bundle of the store run beside the worker for `seconds` and compare; an empty digest ends it."""

    digest: str
    seconds: float = 60.0


class SetUpdates(msgspec.Struct, frozen=True, tag="set_updates", tag_field="do"):
    """Say where releases come from, and the root metadata that is trusted for it from now on; None: from nowhere."""

    source: UpdateSource | None
    root: bytes = b""


class TakeUpdate(msgspec.Struct, frozen=True, tag="take_update", tag_field="do"):
    """Look for a release now; `folder`: in this copy of the repository on the robot (a USB stick) instead of the network.

    Answered when the look has ended: taken up, nothing new, or refused with the reason.
    """

    folder: str | None = None


class Mark(msgspec.Struct, frozen=True, tag="mark", tag_field="do"):
    """A person marks this moment as a failure, with the newest frame. Needs no lease: a watcher sees things too."""

    note: str = ""


class SetWatch(msgspec.Struct, frozen=True, tag="set_watch", tag_field="do"):
    """Say what to look out for from now on; kept over restarts. None: nothing special. Journalled as `watch_set`."""

    watch: Watch | None


class Pin(msgspec.Struct, frozen=True, tag="pin", tag_field="do"):
    """Keep the pictures of a failure (its `id`) when space is short, or let them go like others. Needs no lease."""

    failure: str
    pinned: bool = True


class Drill(msgspec.Struct, frozen=True, tag="drill", tag_field="do"):
    """Cause a fault on purpose, only on an agent started with `--drills`: shows how the console says it."""

    fault: Literal["camera_unplugged", "slow_inference", "worker_crash", "worker_hang", "blind"]
    seconds: float = 8.0


Command = Union[
    GetState,
    GetChoices,
    GetFrame,
    GetPicture,
    GetFacts,
    CheckBundle,
    GetStored,
    Validate,
    Note,
    TakeLease,
    RenewLease,
    ReleaseLease,
    Start,
    Stop,
    SetSource,
    SetBundle,
    Activate,
    CancelChange,
    GoBack,
    RemoveBundle,
    Shadow,
    SetUpdates,
    TakeUpdate,
    Mark,
    SetWatch,
    Pin,
    Drill,
]
NEEDS_LEASE = (
    RenewLease,
    ReleaseLease,
    Start,
    Stop,
    SetSource,
    SetBundle,
    Activate,
    CancelChange,
    GoBack,
    RemoveBundle,
    Shadow,
    SetUpdates,
    TakeUpdate,
    SetWatch,
    Drill,
)


class Expected(msgspec.Struct, frozen=True):
    """What the sender believed when it gave the command; refused with `state_changed` where a given field differs."""

    worker: WorkerPhase | None = None
    source: str | None = None
    bundle: str | None = None


class Request(msgspec.Struct, frozen=True, tag="request", kw_only=True):
    """A command with its conditions. `id` is unique to the sender; a repeated id gets the first answer again.

    `boot_id` and `deadline_mono_ns` (robot's clock) say until when it may begin: a command that comes late out of a
    frozen link is refused with `expired`, never carried out.
    """

    id: str
    command: Command
    epoch: int | None = None
    boot_id: str | None = None
    deadline_mono_ns: int | None = None
    expected: Expected | None = None


FromAgent = Union[AgentHello, Entries, Lost, AgentState, Sample, Pong, Reply, Refusal]
FromConsole = Union[ConsoleHello, Subscribe, Ack, Ping, Request]

M = TypeVar("M")

_encoder = msgspec.json.Encoder()
_from_agent: msgspec.json.Decoder[FromAgent] = msgspec.json.Decoder(FromAgent)
_from_console: msgspec.json.Decoder[FromConsole] = msgspec.json.Decoder(FromConsole)
_body: msgspec.json.Decoder[Body] = msgspec.json.Decoder(Body)


def line(message: Any) -> bytes:
    """The message as one line of JSON with its newline."""
    return _encoder.encode(message) + b"\n"


def raw(body: Body) -> msgspec.Raw:
    """A journal body as the bytes that both ends will keep."""
    return msgspec.Raw(_encoder.encode(body))


def body_of(entry: Entry) -> Body:
    """The entry's body. Raises Trouble for one that this version does not understand."""
    try:
        return _body.decode(entry.body)
    except (msgspec.DecodeError, ValueError) as error:
        raise Trouble(
            f"journal entry {entry.seq} can't be understood: {error}",
            cure="update the console, it may be older than the agent",
            code="unknown_entry",
        ) from error


def from_agent(data: bytes) -> FromAgent:
    """Decode one line from an agent; raises Trouble (code `bad_message` or `too_long`) for anything else."""
    return _decoded(_from_agent, data, "agent")


def from_console(data: bytes) -> FromConsole:
    """Decode one line from a console; raises Trouble (code `bad_message` or `too_long`) for anything else."""
    return _decoded(_from_console, data, "console")


def _decoded(decoder: msgspec.json.Decoder[M], data: bytes, sender: str) -> M:
    if len(data) > LINE_LIMIT_BYTES:
        what = f"a line of {len(data)} bytes from the {sender} is over the limit of {LINE_LIMIT_BYTES}"
        raise Trouble(what, code="too_long")
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        shown = data[:60].decode("utf-8", "replace").strip()
        what = f"the {sender} sent a line that is no message: {error} (it began: {shown!r})"
        raise Trouble(what, code="bad_message") from error


def handshake_trouble(theirs: AgentHello | ConsoleHello) -> Trouble | None:
    """Why the two sides can't talk, naming the one that is too old; None when they can."""
    agent, console = ("the agent", "this console") if isinstance(theirs, AgentHello) else ("this agent", "the console")
    other, own = (agent, console) if isinstance(theirs, AgentHello) else (console, agent)
    if theirs.protocol < OLDEST_PROTOCOL:
        old, speaks, needs = other, theirs.protocol, OLDEST_PROTOCOL
    elif theirs.oldest_protocol > PROTOCOL:
        old, speaks, needs = own, PROTOCOL, theirs.oldest_protocol
    else:
        return None
    cure = "run `fieldgate deploy ROBOT`" if old == agent else "update fieldgate on the laptop"
    return Trouble(
        f"{old} is too old: it speaks protocol {speaks}, the other side needs {needs} or newer",
        cure=cure,
        code="too_old",
    )
