"""What drift is judged against: a detector calibrated on a span that a person named healthy, kept with its digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from console.fieldtest.drift import Detector
from console.fieldtest.running import Span
from console.places import data_dir
from console.store.blocks import Origin
from remote.atomic import write_atomically
from remote.errors import Trouble
from remote.ready_types import ready


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """One robot, bundle and source when healthy. `spans` are the entries that it was made from, `person` who called them
    healthy, `blocks` the number of minutes.
    """

    robot: str
    origin: Origin
    from_wall_ns: int
    to_wall_ns: int
    made_wall_ns: int
    person: str
    blocks: int
    spans: tuple[Span, ...]
    detector: Detector

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of it as it is kept."""
        return hashlib.sha256(_encoder.encode(self)).hexdigest()


class _File(msgspec.Struct):
    digest: str
    calibration: msgspec.Raw


_encoder = msgspec.json.Encoder()


class Calibrations:
    """The folder of calibrations, one file for each robot, bundle and source. `folder`: None takes `data_dir()/drift`."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or data_dir() / "drift"

    def find(self, robot: str, origin: Origin) -> Calibration | None:
        """The newest calibration; None where there is none. Raises Trouble `damaged_calibration` for one that was changed."""
        path = self._path(robot, origin)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _damaged(path, robot, str(error.strerror)) from error
        try:
            file = msgspec.json.decode(data, type=ready(_File))
            found = msgspec.json.decode(file.calibration, type=ready(Calibration))
        except (msgspec.DecodeError, ValueError) as error:
            raise _damaged(path, robot, str(error)) from error
        if hashlib.sha256(file.calibration).hexdigest() != file.digest:
            raise _damaged(path, robot, "it is not what its digest says")
        if (found.robot, found.origin) != (robot, origin):
            raise _damaged(path, robot, "it belongs to another robot, bundle or source")
        return found

    def keep(self, calibration: Calibration) -> Path:
        """Keep it instead of an older one of the same robot, bundle and source. Raises Trouble `not_written`."""
        path = self._path(calibration.robot, calibration.origin)
        body = _encoder.encode(calibration)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(path, _encoder.encode(_File(hashlib.sha256(body).hexdigest(), msgspec.Raw(body))))
        except OSError as error:
            cure = "free space there, and check the folder's permissions"
            raise Trouble(f"{path} can't be written: {error.strerror}", cure=cure, code="not_written") from error
        return path

    def _path(self, robot: str, origin: Origin) -> Path:
        name = hashlib.sha256("\0".join((robot, origin.bundle, origin.source)).encode()).hexdigest()[:24]
        return self.folder / f"{name}.json"


def _damaged(path: Path, robot: str, why: str) -> Trouble:
    cure = f"name a healthy span again: `fieldgate running calibrate {robot} --from TIME --to TIME`"
    return Trouble(f"the calibration {path} can't be used: {why}", cure=cure, code="damaged_calibration")
