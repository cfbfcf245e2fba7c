"""golden.npz comes from whoever made the bundle: whatever it holds, it is read or refused, and no process dies of it."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from remote.errors import Trouble
from remote.models.golden import Golden, golden_bytes, read_golden

WHOLE = golden_bytes(Golden({"in": np.arange(6000, dtype=np.float32)[None] % 17}, {"out": np.ones((1, 3), np.float32)}))


def read(folder: Path, data: bytes) -> bool:
    """Whether it was read; False where it was refused as it should be."""
    (folder / "golden.npz").write_bytes(data)
    try:
        return read_golden(folder) is not None
    except Trouble as trouble:
        if trouble.code != "golden_invalid":
            raise
        return False


def packed(given: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("input:in.npy", given)
        archive.writestr("output:out.npy", npy(np.ones((1, 3), np.float32)))
    return file.getvalue()


def npy(array: NDArray[np.generic]) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=False)
    return file.getvalue()


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE)
    assert read(tmp_path, packed(npy(np.zeros((1, 2), np.uint8))))


def test_what_rot_or_a_stranger_made_of_it_is_refused(tmp_path: Path) -> None:
    chance, read_all = random.Random(5), 0
    for _ in range(300):
        data = bytearray(WHOLE)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        read_all += read(tmp_path, bytes(data[: chance.choice((len(data), chance.randrange(len(data))))]))
    assert read_all < 150


@pytest.mark.filterwarnings("ignore")
def test_a_header_of_any_characters_is_refused(tmp_path: Path) -> None:
    chance, whole = random.Random(6), npy(np.zeros((1, 4), np.float32))
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(3):
            data[chance.randrange(80)] = chance.choice(b"(){}[]',:<f40123-\n\0")
        read(tmp_path, packed(bytes(data)))
    true = whole.replace(b"(1, 4)", b"(True,)")[: len(whole)]
    assert not read(tmp_path, packed(true))


@pytest.mark.parametrize("kind", ["S4", "U4", "M8[s]", "V8"])
def test_what_is_no_number_is_refused(tmp_path: Path, kind: str) -> None:
    assert not read(tmp_path, packed(npy(np.zeros((1, 2), kind))))


def test_an_encrypted_file_is_refused(tmp_path: Path) -> None:
    data = bytearray(WHOLE)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + flags] |= 1
            place = data.find(mark, place + 1)
    assert not read(tmp_path, bytes(data))
