"""Any bundle's model as a function of its inputs, on ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from remote.errors import Trouble
from remote.models.comparing.samples import Feed


class Runner:
    """One loaded model. Raises Trouble `model_unreadable` where it can't be loaded."""

    def __init__(self, model: Path, *, threads: int = 1) -> None:
        from remote.perception.engines.onnx_runtime import name_of, open_session

        self._session = open_session(model, threads=threads)
        self._model = model
        self.outputs = tuple(node.name for node in self._session.get_outputs())
        self.engine = name_of(self._session, threads)

    def __call__(self, feed: Feed) -> Feed:
        """Outputs by name, with their batch axis. Raises Trouble `inference_error` where the model fails on this input."""
        try:
            found: list[Any] = self._session.run(None, feed)
        except Exception as error:
            what = f"model {self._model} fails on an input: {str(error).splitlines()[0][:200]}"
            raise Trouble(what, cure="Compare bundles of the same inputs", code="inference_error") from error
        return dict(zip(self.outputs, found, strict=True))
