"""golden.npz of a bundle: inputs as the network takes them and the outputs that it gave where it was made."""

from __future__ import annotations

import io
import lzma
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remote.errors import Trouble
from remote.manifest import GOLDEN

LIMIT_BYTES = 256 * 1024**2
CODE = "golden_invalid"
Arrays = dict[str, NDArray[Any]]
# RuntimeError: encrypted. TypeError, SyntaxError, TokenError: what numpy's reader of headers lets through.
_UNREADABLE = (
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    tokenize.TokenError,
    EOFError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


@dataclass(frozen=True)
class Golden:
    """Samples by tensor name; the first axis of every array numbers the samples, the rest is the tensor without its batch."""

    inputs: Arrays
    outputs: Arrays

    @property
    def samples(self) -> int:
        """How many there are."""
        return int(next(iter(self.inputs.values())).shape[0])


def golden_bytes(golden: Golden) -> bytes:
    """The file's bytes; equal arrays give equal bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for kind, arrays in (("input", golden.inputs), ("output", golden.outputs)):
            for name in sorted(arrays):
                one = io.BytesIO()
                np.lib.format.write_array(one, np.ascontiguousarray(arrays[name]), allow_pickle=False)
                archive.writestr(zipfile.ZipInfo(f"{kind}:{name}.npy"), one.getvalue(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def read_golden(folder: Path) -> Golden | None:
    """The golden samples of the bundle in `folder`; None where it has none.

    Raises Trouble (code `golden_invalid`) for a file that is damaged, holds objects, is larger unpacked than LIMIT_BYTES, or
    whose arrays do not have the same number of samples.
    """
    path = folder / GOLDEN
    if not path.is_file():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LIMIT_BYTES:
                raise _refused(path, f"unpacks to more than {LIMIT_BYTES} bytes")
            arrays = {entry.filename: _array(archive, entry) for entry in archive.infolist()}
    except _UNREADABLE as error:
        raise _refused(path, f"can't be read: {error}") from error
    found = Golden(_named(arrays, "input:"), _named(arrays, "output:"))
    counts = {array.shape[0] if array.ndim else 0 for array in arrays.values()}
    if not found.inputs or not found.outputs or len(counts) != 1 or 0 in counts:
        raise _refused(path, "does not hold inputs and outputs of the same number of samples")
    return found


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(entry) as file:
        data = io.BytesIO(file.read(entry.file_size))
    array: NDArray[Any] = np.lib.format.read_array(data, allow_pickle=False)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{entry.filename} holds {array.dtype}, no numbers")
    return array


def _named(arrays: Mapping[str, NDArray[Any]], prefix: str) -> Arrays:
    return {
        name.removeprefix(prefix).removesuffix(".npy"): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _refused(path: Path, what: str) -> Trouble:
    return Trouble(f"{path} {what}", cure="make the bundle anew", code=CODE)
