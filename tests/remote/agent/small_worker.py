"""A worker of a few lines for tests of the supervisor: a real process that speaks the real messages and misbehaves on demand.

The first argument is the behaviour; `Source` words of the config may override it after `scene:`.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

import msgspec

from remote.histogram import Histogram
from remote.perception.messages import (
    AskFrame,
    Beat,
    Cause,
    FrameAnswer,
    Journalled,
    Live,
    MarkFrame,
    Quit,
    Ready,
    SampleRate,
    ToWorker,
    Unable,
    WatchFor,
    WorkerConfig,
)
from remote.protocol import STAGES, BundleState, CameraHealth, Detection, Failure, Picture, Sample, Window, line

BUNDLE = BundleState("b" * 64, "small", ("cube", "cone"))
_decoder: msgspec.json.Decoder[ToWorker] = msgspec.json.Decoder(ToWorker)

UNABLE_SOURCE = "scene:13"
"""The source with which this worker says that it is unable to start."""


def say(message: object) -> None:
    os.write(1, line(message))


def window(config: WorkerConfig, number: int) -> Window:
    now = time.monotonic_ns()
    stages = {stage: Histogram.of(1.0 + (i % 17) / 10 for i in range(30)) for stage in STAGES}
    return Window(
        run=config.run,
        window=number,
        start_mono_ns=now,
        span_ms=1000.0,
        frames=30,
        stages_ms=stages,
        camera=CameraHealth("ok"),
        source=config.source,
        bundle=BUNDLE.digest,
    )


def sample(frame: int) -> Sample:
    boxes = tuple(Detection(i % 2, 0.9, 10.0 * i, 20.0, 10.0 * i + 9, 40.0) for i in range(5))
    return Sample(time.monotonic_ns(), frame, 640, 480, dict.fromkeys(STAGES, 1.5), boxes)


def answer(message: ToWorker, config: WorkerConfig) -> bool:
    """Act on a message; False when it is time to go."""
    if isinstance(message, Quit):
        return False
    if isinstance(message, MarkFrame):
        say(Journalled(time.monotonic_ns(), Failure(name="operator_mark", text=message.note)))
    if isinstance(message, (AskFrame, MarkFrame)):
        say(FrameAnswer(message.id, Picture(jpeg=b"\xff\xd8", digest="d" * 64, width=64, height=48)))
    if isinstance(message, Cause) and message.fault == "worker_hang":
        time.sleep(message.seconds)
    if isinstance(message, WatchFor):
        print(f"watch {message.watch.conditions if message.watch else None}", file=sys.stderr, flush=True)
    if isinstance(message, SampleRate):
        print(f"sample rate {message.per_s}", file=sys.stderr, flush=True)
    return True


def misbehave(how: str) -> None:
    if how == "unable":
        say(Unable("the bundle is broken", "make it anew", "bundle_changed"))
        sys.exit(3)
    if how == "unable_but_stays":
        say(Unable("the bundle is broken", "make it anew", "bundle_changed"))
        time.sleep(60)
    if how == "crash":
        print("something terrible happened", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "endless":
        while True:
            os.write(1, b"x" * 65536)
    if how == "never_ready":
        time.sleep(60)
    if how == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def work(config: WorkerConfig, how: str, per_s: float = 10.0) -> None:
    frame = numbers = 0
    next_s = time.monotonic()
    waiting = b""
    while True:
        readable, _, _ = select.select([0] if how != "deaf" else [], [], [], max(0.0, next_s - time.monotonic()))
        if readable:
            chunk = os.read(0, 65536)
            if not chunk:
                return
            *whole, waiting = (waiting + chunk).split(b"\n")
            if not all(answer(_decoder.decode(one), config) for one in whole):
                return
        if time.monotonic() >= next_s:
            next_s += 1 / per_s
            frame += 1
            say(Live(sample(frame)))
            if frame % int(per_s) == 1:
                say(Beat(frame))
                say(Journalled(time.monotonic_ns(), window(config, numbers)))
                numbers += 1
            if how == "crash_later" and frame == 3:
                print("later words", file=sys.stderr, flush=True)
                os._exit(7)
            if how == "hang" and frame == 3:
                time.sleep(60)


def first_line() -> bytes:
    """Byte by byte, so that nothing of the next line is swallowed by a buffer."""
    data = b""
    while not data.endswith(b"\n") and (byte := os.read(0, 1)):
        data += byte
    return data


def main() -> None:
    how = sys.argv[1]
    config = msgspec.json.decode(first_line(), type=WorkerConfig)
    if config.source == UNABLE_SOURCE:
        how = "unable"
    misbehave(how)
    if how == "garbage":
        os.write(1, b"WARNING: a library talks on stdout\n{}\n\xff\xfe\n[" + b"[" * 5000 + b"\n")
    say(Ready(BUNDLE, "small engine"))
    work(config, how)


if __name__ == "__main__":
    main()
