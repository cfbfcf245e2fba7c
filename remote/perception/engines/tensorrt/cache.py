"""The engines that this robot built. A plan is native code: one that was not built here is never given out.

Each engine is KEY.plan with KEY.json, a manifest that binds the plan's digest, the key and this computer by an HMAC under a
secret that was made on first use and never leaves the folder (0600). The plan is written before its manifest, both whole or
not at all, so that a kill at any moment leaves an engine or none.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from remote.atomic import TEMPORARY_GLOB, write_atomically
from remote.errors import Trouble
from remote.perception.engines.tensorrt.key import EngineKey
from remote.perception.engines.wishes import NOTHING_BUILT
from remote.ready_types import ready

SECRET = "secret"  # noqa: S105 - a file's name
SECRET_BYTES = 32
KEPT = 8
"""Engines beyond these, first those that were not used for longest, are removed when one is added."""
_MANIFEST_LIMIT_BYTES = 65_536
_TIMING_LIMIT_BYTES = 256 * 1024 * 1024


class EngineManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is known of a plan. `seal` is the HMAC-SHA256 over all the rest."""

    format: int = 1
    key: EngineKey
    plan: str
    bytes: int
    machine: str
    built_wall_ns: int
    seconds: float
    seal: str = ""


class EngineCache:
    """The folder. Made on first use, 0700.

    Args:
        folder: of this user alone.
        machine: this computer, see key.machine.
        wall_ns: tells the wall time.
    """

    def __init__(self, folder: Path, machine: str, *, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._folder, self._machine, self._wall_ns = folder, machine, wall_ns

    def load(self, key: EngineKey) -> bytes | str:
        """The plan that was built here for exactly this key, or one sentence why there is none."""
        try:
            manifest = self._manifest(self._path(key, "json"))
            if isinstance(manifest, str):
                return manifest
            if manifest.key != key:
                return "the engine in the cache is for something else"
            plan = self._path(key, "plan").read_bytes()
        except FileNotFoundError:
            return NOTHING_BUILT
        except OSError as error:
            return f"the engine in the cache can't be read: {error.strerror}"
        if hashlib.sha256(plan).hexdigest() != manifest.plan:
            return "the engine in the cache was changed since it was built here"
        with contextlib.suppress(OSError):  # it is in use, however long ago it was built
            os.utime(self._path(key, "json"))
        return plan

    def store(self, key: EngineKey, plan: bytes, seconds: float) -> None:
        """Keep a plan that was just built here; `seconds` is what that took.

        Raises Trouble `no_space` where it can't be written.
        """
        digest = hashlib.sha256(plan).hexdigest()
        open_manifest = EngineManifest(
            key=key,
            plan=digest,
            bytes=len(plan),
            machine=self._machine,
            built_wall_ns=self._wall_ns(),
            seconds=seconds,
        )
        try:
            self._prepare()
            manifest = msgspec.structs.replace(open_manifest, seal=self._seal(open_manifest, self._secret()))
            write_atomically(self._path(key, "plan"), plan)
            write_atomically(self._path(key, "json"), msgspec.json.encode(manifest))
            self._forget_old(key.digest)
        except OSError as error:
            cure = "Make room on that disk, or make the folder writable for this user"
            what = f"the engine can't be kept in {self._folder}: {error.strerror}"
            raise Trouble(what, cure=cure, code="no_space") from error

    def remove(self, key: EngineKey) -> None:
        """Forget an engine that turned out to be unusable."""
        for kind in ("json", "plan"):
            self._path(key, kind).unlink(missing_ok=True)

    def timing(self, key: EngineKey) -> bytes:
        """What earlier builds of this TensorRT on this GPU measured; empty where nothing of ours is there."""
        try:
            data = self._timing(key).read_bytes()
            secret = self._secret_there()
        except OSError:
            return b""
        seal, rest = data[:SECRET_BYTES], data[SECRET_BYTES:]
        return rest if secret and hmac.compare_digest(seal, _mac(secret, rest)) else b""

    def keep_timing(self, key: EngineKey, timing: bytes) -> None:
        """Keep what a build measured. It only saves time: where it can't be written, it is left."""
        if not 0 < len(timing) <= _TIMING_LIMIT_BYTES:
            return
        with contextlib.suppress(OSError):
            self._prepare()
            write_atomically(self._timing(key), _mac(self._secret(), timing) + timing)

    # ------------------------------------------------------------ files

    def _path(self, key: EngineKey, kind: str) -> Path:
        return self._folder / f"{key.digest}.{kind}"

    def _timing(self, key: EngineKey) -> Path:
        return self._folder / f"{key.timing[:32]}.timing"

    def _prepare(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._folder.glob(TEMPORARY_GLOB):
            left.unlink(missing_ok=True)

    def _manifest(self, path: Path) -> EngineManifest | str:
        with path.open("rb") as file:
            data = file.read(_MANIFEST_LIMIT_BYTES)
        try:
            manifest = msgspec.json.decode(data, type=ready(EngineManifest))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return "the engine's manifest in the cache is damaged"
        secret = self._secret_there()
        if not secret or not hmac.compare_digest(manifest.seal.encode(), self._seal(manifest, secret).encode()):
            return "the engine in the cache was not built by this robot"
        if manifest.machine != self._machine:
            return "the engine in the cache was built on another computer"
        return manifest

    def _seal(self, manifest: EngineManifest, secret: bytes) -> str:
        unsealed = msgspec.structs.replace(manifest, seal="")
        return _mac(secret, msgspec.json.encode(unsealed, order="sorted")).hex()

    def _secret(self) -> bytes:
        """The secret, made where there is none that can be trusted; engines sealed under another are then none of ours."""
        secret = self._secret_there()
        if not secret:
            secret = os.urandom(SECRET_BYTES)
            write_atomically(self._folder / SECRET, secret)
        return secret

    def _secret_there(self) -> bytes:
        """The secret; empty where there is none, or somebody else could have read or written it."""
        try:
            descriptor = os.open(self._folder / SECRET, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return b""
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            private = stat.S_ISREG(status.st_mode) and not stat.S_IMODE(status.st_mode) & 0o077
            secret = file.read(SECRET_BYTES + 1) if private and status.st_uid == os.getuid() else b""
        return secret if len(secret) == SECRET_BYTES else b""

    def _forget_old(self, newest: str) -> None:
        """Keep those that were used last; the one just built counts as the newest whatever the clock says."""
        others = (path for path in self._folder.glob("*.json") if path.stem != newest)
        manifests = sorted(others, key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in manifests[KEPT - 1 :]:
            path.unlink(missing_ok=True)
            path.with_suffix(".plan").unlink(missing_ok=True)
        known = {newest, *(path.stem for path in manifests[: KEPT - 1])}
        for plan in self._folder.glob("*.plan"):
            if plan.stem not in known:  # a kill came between plan and manifest
                plan.unlink(missing_ok=True)


def _mac(secret: bytes, data: bytes) -> bytes:
    return hmac.new(secret, data, hashlib.sha256).digest()
