"""What can go wrong with one frame. `name` is one of remote.protocol.FAILURES; the worker journals it and goes on."""

from __future__ import annotations


class FrameFault(Exception):
    """A frame that ended without a result. `name`: the failure's name; the text says what happened, one sentence."""

    name = "inference_error"


class BadOutput(FrameFault):
    """The model gave NaN, infinity or an impossible box."""

    name = "bad_output"


class InferenceError(FrameFault):
    """The engine raised."""

    name = "inference_error"


class EngineLost(Exception):
    """The engine won't come back in this process, as when the GPU's context is gone: a new worker may get it back."""


class BadFrame(FrameFault):
    """One picture could not be decoded; the next may be fine. `subject` names it (a file)."""

    name = "bad_frame"

    def __init__(self, text: str, subject: str = "") -> None:
        super().__init__(text)
        self.subject = subject


class CameraGone(Exception):
    """The camera can't be opened, or a read failed; opening it again may help."""
