"""What an engine is: one model, loaded, with an input and an output buffer that stay where they are."""

from __future__ import annotations

from typing import Protocol

from remote.perception.arrays import Tensor


class Engine(Protocol):
    """One loaded model. Used from one thread; `close` gives its memory back.

    Attributes:
        name: engine, version, provider and threads, for people.
        input: the bound input; write a frame into it, then call `run`.
        output: the bound output; holds the result of the last `run`, overwritten by the next one.
    """

    name: str
    input: Tensor
    output: Tensor

    def run(self) -> None:
        """Compute `output` from `input`. Raises InferenceError when the engine fails on this frame."""

    def warm_up(self, runs: int) -> None:
        """Run on what lies in the input, so that the first real frame is no slower than the others."""

    def close(self) -> None:
        """Let the model go; the engine is not used afterwards."""
