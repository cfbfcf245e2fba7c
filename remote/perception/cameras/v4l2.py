"""A V4L2 device (USB or CSI camera) through OpenCV."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from remote.perception.cameras.base import Frame
from remote.perception.faults import BadFrame, CameraGone


class V4l2Camera:
    """See base.Camera. A device that is not there is CameraGone, not Trouble: it may be plugged in again.

    Args:
        device: its path, usually /dev/video0.
        fps, width, height: asked of the driver, which may choose others.
    """

    noisy = True

    def __init__(
        self,
        device: Path,
        *,
        fps: float | None = None,
        width: int | None = None,
        height: int | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.interval_s: float | None = 1 / fps if fps else None
        self._device = device
        asked = (
            (cv2.CAP_PROP_BUFFERSIZE, 1),  # frames that wait in the driver are old frames
            (cv2.CAP_PROP_FRAME_WIDTH, width),
            (cv2.CAP_PROP_FRAME_HEIGHT, height),
            (cv2.CAP_PROP_FPS, fps),
        )
        self._asked = [(name, value) for name, value in asked if value is not None]
        self._clock = clock
        self._capture: Any = None
        self._index = 0

    def open(self) -> None:
        """Open the device; CameraGone says whether it is missing, forbidden or busy."""
        reason = why_unusable(self._device)
        if reason:
            raise CameraGone(f"camera {self._device} {reason}")
        # Devices are numbered by their real name; /dev/v4l/by-id/... are links to it.
        capture = cv2.VideoCapture(str(self._device.resolve()), cv2.CAP_V4L2)
        if not capture.isOpened():
            raise CameraGone(f"camera {self._device} can't be opened: another program uses it, or it gives no pictures")
        for name, value in self._asked:
            capture.set(name, value)
        self._capture = capture
        self._index = 0

    def read(self) -> Frame:
        """Wait for the driver's next frame; stamped when it was taken over, before it is unpacked."""
        capture = self._capture
        if capture is None or not capture.grab():
            raise CameraGone(f"camera {self._device} stopped answering")
        stamp = self._clock()
        done, image = capture.retrieve()
        if not done:
            raise BadFrame(f"a frame of camera {self._device} can't be unpacked")
        index, self._index = self._index, self._index + 1
        return Frame(np.asarray(image, np.uint8), stamp, index)

    def wake(self) -> None:
        """Nothing here waits for its time: a read waits for the driver."""

    def close(self) -> None:
        """Let the device go."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()


def why_unusable(device: Path) -> str:
    """Why the device can't even be tried, with the cure; empty where it can."""
    if not device.exists():
        return "does not exist: plug it in (`v4l2-ctl --list-devices` names those there are)"
    if not device.is_char_device():
        return "is not a device"
    if not os.access(device, os.R_OK | os.W_OK):
        return "may not be used by this user: add the user to the group `video` and log in again"
    return ""
