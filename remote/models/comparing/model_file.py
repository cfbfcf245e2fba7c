"""Reading an ONNX file that may be damaged or hostile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from remote.errors import Trouble
from remote.models.onnx_package import import_onnx
from remote.models.weights_apart import refuse_apart_in

LIMIT_BYTES = 2 * 1024**3 - 1  # protobuf itself takes no more
_CURE = "Export the model again as one ONNX file, or copy it again in full"


def read_model(path: Path) -> Any:
    """The ModelProto.

    Raises Trouble: `model_unreadable` for what is no whole ONNX model, `model_apart` for weights in other files.
    """
    onnx = import_onnx()
    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise _refused(path, f"is larger than {LIMIT_BYTES} bytes")
        data = path.read_bytes()
        model = onnx.load_model_from_string(data)
        refuse_apart_in(data, path)
        onnx.checker.check_model(model)
    except OSError as error:
        raise _refused(path, f"can't be read: {error.strerror}") from error
    except Trouble:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise _refused(path, f"is no valid ONNX model: {reason}") from error
    return model


def _refused(path: Path, what: str) -> Trouble:
    return Trouble(f"model {path} {what}", cure=_CURE, code="model_unreadable")
