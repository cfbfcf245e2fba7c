"""A small robot for changes: a real store, real slots, a real child as worker, and what it does with a bundle told by its
model.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path

from remote.activation.change import Change
from remote.activation.ground import Seen
from remote.activation.store import ReleaseStore
from remote.agent.clock import Clock
from remote.errors import Trouble
from remote.histogram import Histogram
from remote.manifest import FileEntry, digest_of, manifest_bytes
from remote.model_states import AFTER_SWITCH, Probation, Progress, Slot
from remote.protocol import Scalar, Severity
from remote.verdicts import Check

GOOD, CRASHES, CRASHES_LATE = b"good", b"crashes at once", b"crashes after its frames"
PLAN = Probation(
    frames=32, least_s=0, most_s=60, p99_ratio=None, failed_share=None, miss_share_more=None, boxes_ratio=None
)
"""Compares nothing with the model before, so none of its frames are waited for."""
FRAMES = 64
_WORKER = f"""
echo "$1" >> "$2"
read -r kind < "$3/model.onnx" || true
[ "$kind" = "{CRASHES.decode()}" ] && exit 1
i=0; while [ $i -lt 20 ]; do echo frame; i=$((i+1)); done
[ "$kind" = "{CRASHES_LATE.decode()}" ] && exit 1
while [ $i -lt {FRAMES} ]; do echo frame; i=$((i+1)); done
exec cat > /dev/null
"""


def bundle_files(model: bytes, contract: bytes = b"contract") -> tuple[str, dict[str, bytes]]:
    """The digest and the files of a small bundle, its manifest first."""
    files = {"model.onnx": model, "contract.yaml": contract}
    entries = {name: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for name, data in files.items()}
    manifest = manifest_bytes("small", entries)
    return digest_of(manifest), {"manifest.json": manifest, **files}


def write_bundle(folder: Path, files: dict[str, bytes]) -> None:
    """As a file transfer does: file by file, nothing synced."""
    for name, data in files.items():
        (folder / name).write_bytes(data)


def slot(digest: str, name: str = "small", release: int | None = None) -> Slot:
    return Slot(digest=digest, name=name, origin="push", by="anna", release=release)


class SmallRobot:
    """The Ground, the worker's supervisor and the agent's clock of one life of an agent.

    `disk` holds what must survive, `starts` (outside of it) one line for each start of the worker. Hooks may be replaced.
    """

    def __init__(self, disk: Path, starts: Path, clock: Clock | None = None, *, embedded: Path | None = None) -> None:
        self.disk, self.starts = disk, starts
        (disk / "bundles").mkdir(exist_ok=True)
        self.store = ReleaseStore(disk / "bundles", embedded, free=lambda folder: 1 << 40)
        digest = self.store.embedded_digest
        self.embedded = Slot(digest=digest, name="embedded", origin="agent") if digest else None
        self.change = Change(disk / "slots.json", self.store, self, clock or Clock("boot"), self.embedded)
        self.told: list[tuple[str, dict[str, Scalar]]] = []
        self.busy_with = ""
        self.wanted = True
        self.before = Seen()
        self.since: Seen | None = None
        self.checks: tuple[Check, ...] = (Check(name="runs", verdict="pass", text="it runs"),)
        self.building: Callable[[], object] = lambda: None
        self.build_waits: asyncio.Event | None = None
        self.build_ended = ""
        self.on_tell: Callable[[str, dict[str, Scalar]], None] = lambda name, data: None
        self.unable = ""
        self._keep_up = False
        self.process: Process | None = None
        self.runs = ""
        self.frames = 0
        self._reader: asyncio.Task[None] | None = None

    # ------------------------------------------------------------ Ground

    def folder(self, digest: str) -> Path:
        return self.store.folder(digest)

    async def build(self, digest: str, say: Callable[[Progress], None]) -> str:
        self.building()
        say(Progress(done=1, whole=2, unit="layers"))
        try:
            if self.build_waits is not None:
                await self.build_waits.wait()
        except asyncio.CancelledError:
            self.build_ended = "cancelled"
            raise
        return "engine"

    async def self_test(self, digest: str, say: Callable[[Progress], None]) -> tuple[Check, ...]:
        await asyncio.to_thread(self.store.folder, digest)
        return self.checks

    async def busy(self) -> str:
        return self.busy_with

    async def run_worker(self, digest: str) -> None:
        if self.process is None and not self._keep_up:
            return  # somebody stopped it
        if self.process is None or self.runs != digest:
            self._keep_up = True
            await self.stop_worker()
            await self.start_worker()
            if self.unable and self.runs == digest == bundle_files(GOOD)[0]:
                await self.stop_worker()
                raise Trouble(self.unable, code="engine")

    def worker_wanted(self) -> bool:
        return self.wanted

    def seen_before(self) -> Seen:
        return self.before

    def seen_since(self) -> Seen:
        return self.since or Seen(frames=self.frames, seconds=1, end_to_end_ms=Histogram.of([5.0] * self.frames))

    def tell(self, name: str, severity: Severity, text: str, **data: Scalar) -> None:
        self.told.append((name, data))
        self.on_tell(name, data)

    def changed(self) -> None:
        pass

    # ------------------------------------------------------------ the worker

    async def start_worker(self) -> None:
        digest = self.change.before_worker_start()
        assert digest is not None, "there is always one in these tests"
        folder = self.store.folder(digest)
        words = (
            "/bin/sh",
            "-c",
            _WORKER,
            "worker",
            f"{digest}:{self.change.slots.step}",
            str(self.starts),
            str(folder),
        )
        if digest != self.runs:
            self.frames = 0
        self.process = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE)
        self.runs = digest
        self._reader = asyncio.get_running_loop().create_task(self._read(self.process))

    async def stop_worker(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        while await process.stdout.readline():
            self.frames += process is self.process
        await process.wait()
        if process is self.process:
            self.process = None
            self.change.worker_died(f"exit {process.returncode}")
            await self.start_worker()

    # ------------------------------------------------------------ a life of the agent

    async def settle(self, turns: int = 4000) -> None:
        """Tick until no change is under way."""
        for _ in range(turns):
            if not self.change.underway:
                return
            self.change.tick()
            await asyncio.sleep(0.001)
        raise AssertionError(f"no end in sight: {self.change.state()}")

    async def until(self, step: str, turns: int = 4000) -> None:
        """Tick until the change is in this step."""
        for _ in range(turns):
            if self.change.slots.step == step:
                return
            self.change.tick()
            await asyncio.sleep(0.001)
        raise AssertionError(f"{step} never came: {self.change.state()}")

    async def end(self) -> None:
        """End it as an agent ends, the worker too."""
        await self.change.close()
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
        await self.stop_worker()

    def put(self, model: bytes) -> str:
        """Stage a bundle's files as a push does; its digest."""
        digest, files = bundle_files(model)
        write_bundle(self.store.staging(digest), files)
        return digest

    def starts_of(self, digest: str) -> int:
        """How often the worker was started with this bundle on trial, over all lives."""
        lines = self.starts.read_text().split() if self.starts.exists() else []
        return sum(line.split(":")[0] == digest and line.split(":")[1] in AFTER_SWITCH for line in lines)
