"""What passes between the agent and its worker, one JSON object a line over the worker's stdin and stdout.

The worker sends the protocol's own Window, Event, Failure and Sample where the console is meant to see them; the rest is here.
"""

from __future__ import annotations

from typing import Literal, Union

import msgspec

from remote.perception.engines.wishes import Wishes
from remote.protocol import BundleState, Clip, Event, Failure, Picture, Sample, Watch, Window


class WorkerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker is started: one JSON object as the first line on its stdin.

    `bundle` is the bundle's folder, `pictures` the folder where pictures of failures are written as DIGEST.jpg.
    `engines` is the folder of engines that this robot built, empty for none; `wishes` is how they were built.
    """

    run: int
    source: str
    bundle: str
    pictures: str
    samples_per_s: float = 10.0
    threads: int = 1
    drills: bool = False
    watch: Watch | None = None
    engines: str = ""
    wishes: Wishes = Wishes()


# ------------------------------------------------------------ worker -> agent


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The bundle is verified, the engine loaded and warmed up, the camera asked to open: frames may come."""

    bundle: BundleState
    engine: str


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """The loop is alive (sent at least once a second, also while a camera is being waited for)."""

    frame: int


class Journalled(msgspec.Struct, frozen=True, tag="journalled"):
    """A window, event, failure or clip for the journal, with the worker's monotonic time."""

    mono_ns: int
    body: Union[Window, Event, Failure, Clip]


class Live(msgspec.Struct, frozen=True, tag="live"):
    """The newest frame's result for live display."""

    sample: Sample


class Moment(msgspec.Struct, frozen=True, tag="moment", kw_only=True):
    """A small JPEG of a frame, two a second: the agent keeps the last seconds of them, for what came before a failure.

    `width` and `height` are those of the camera's frame, `light` its mean grey level, 0 to 255.
    """

    mono_ns: int
    frame: int
    width: int
    height: int
    light: float
    jpeg: bytes


class FrameAnswer(msgspec.Struct, frozen=True, tag="frame"):
    """Answer to AskFrame or MarkFrame; `picture` is None while there is no frame yet."""

    id: int
    picture: Picture | None


class Unable(msgspec.Struct, frozen=True, tag="unable"):
    """The worker can't start and says why (bad bundle, unknown source); it exits with status 3 after this line."""

    what: str
    cure: str
    code: str


FromWorker = Union[Ready, Beat, Journalled, Live, Moment, FrameAnswer, Unable]


# ------------------------------------------------------------ agent -> worker


class AskFrame(msgspec.Struct, frozen=True, tag="ask_frame"):
    """Send the newest frame as a JPEG at most `max_width` wide."""

    id: int
    max_width: int


class MarkFrame(msgspec.Struct, frozen=True, tag="mark_frame"):
    """Journal an `operator_mark` failure with the newest frame's picture, then answer with FrameAnswer."""

    id: int
    note: str


class SampleRate(msgspec.Struct, frozen=True, tag="sample_rate"):
    """How many samples a second somebody wants now (0: nobody watches)."""

    per_s: float


class WatchFor(msgspec.Struct, frozen=True, tag="watch_for"):
    """Look out for this from now on."""

    watch: Watch | None


class Cause(msgspec.Struct, frozen=True, tag="cause"):
    """A drill: behave as if this fault were there for `seconds`."""

    fault: Literal["camera_unplugged", "slow_inference", "worker_hang", "blind"]
    seconds: float


class Quit(msgspec.Struct, frozen=True, tag="quit"):
    """Finish the current window, journal it, and exit with status 0. End of file on stdin means the same."""


ToWorker = Union[AskFrame, MarkFrame, SampleRate, WatchFor, Cause, Quit]
