"""What a camera is, and a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from remote.perception.arrays import Pixels
from remote.perception.watching.boxes import Truth


@dataclass(frozen=True)
class Frame:
    """One picture.

    Attributes:
        image: uint8 [height, width, 3], BGR; belongs to the receiver, the camera never writes into it again.
        capture_mono_ns: when the picture came into being, by this machine's monotonic clock.
        index: counts the camera's frames from 0 since it was opened.
        label: what the picture is called, where it has a name (a file).
        truth: what is in it, where the source itself knows that.
    """

    image: Pixels
    capture_mono_ns: int
    index: int
    label: str = ""
    truth: Truth | None = None


class Camera(Protocol):
    """A source of frames. All is called from one thread, except `wake`, which may come from any.

    Attributes:
        noisy: whether two frames can't be equal unless the camera hangs. Sensors are noisy; files are played back as
            they are, so that a picture shown again and again is the file's content and no fault.
        interval_s: the time between two frames, None where it isn't known beforehand.
    """

    noisy: bool
    interval_s: float | None

    def open(self) -> None:
        """Begin. Raises CameraGone where there is no camera now; may be called again after `close`."""

    def read(self) -> Frame:
        """Wait for the next frame. Raises BadFrame (the next one may be fine) or CameraGone (open again)."""

    def wake(self) -> None:
        """End a `read` that only waits for its time; one that hangs in a driver can't be ended."""

    def close(self) -> None:
        """Let the device go."""
