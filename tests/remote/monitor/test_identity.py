"""What a robot's computer is: without it an engineer can't tell that evidence was taken on another computer or JetPack."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote import __version__
from remote.monitor.identity import DPKG_BYTES, WORD_LIMIT, read_identity, version_of

DPKG = """\
Package: nvidia-jetpack
Status: install ok installed
Architecture: arm64
Version: 6.2+b77
Description: NVIDIA Jetpack Meta Package
 Version: 9.9 stands in a description's further line

Package: libnvinfer8
Status: deinstall ok config-files
Version: 8.6.2.3-1+cuda12.2

Package: libnvinfer10
Status: install ok installed
Version: 10.3.0.30-1+cuda12.5

Package: nvidia-l4t-core
Status: install ok installed
Version: 36.4.3-20250107174145
"""
L4T = "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, DATE: Wed Jan  8 01:49:37 UTC 2025\n"
CUDA = {"cuda": {"name": "CUDA SDK", "version": "12.6.11"}, "nvcc": {"name": "NVCC", "version": "12.6.68"}}


def none(package: str) -> str:
    return ""


def put(root: Path, path: str, text: str | bytes) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.fixture
def jetson(tmp_path: Path) -> Path:
    """The files of an Orin Nano with JetPack 6.2 that tell what it is."""
    put(tmp_path, "proc/device-tree/model", "NVIDIA Jetson Orin Nano Developer Kit\0")
    put(tmp_path, "proc/device-tree/serial-number", "1420000000000\0")
    put(tmp_path, "etc/nv_tegra_release", L4T)
    put(tmp_path, "etc/machine-id", "3d1219c7c4c5404aaa1f6d2a48adfda4\n")
    put(tmp_path, "var/lib/dpkg/status", DPKG)
    put(tmp_path, "usr/local/cuda/version.json", json.dumps(CUDA))
    return tmp_path


def test_a_jetson_says_what_stands_on_its_label_and_what_is_installed(jetson: Path) -> None:
    known = read_identity(jetson, none)
    assert (known.serial, known.serial_source) == ("1420000000000", "device-tree")
    running = os.uname()
    assert known.words | {"python": ""} == {
        "model": "NVIDIA Jetson Orin Nano Developer Kit",
        "l4t": "36.4.3",
        "jetpack": "6.2+b77",
        "tensorrt": "10.3.0.30",
        "cuda": "12.6.11",
        "kernel": running.release,
        "machine": running.machine,
        "python": "",
        "agent": __version__,
    }


def test_the_tensorrt_that_python_would_load_goes_before_the_systems_library(jetson: Path) -> None:
    assert read_identity(jetson, {"tensorrt": "10.7.0"}.__getitem__).words["tensorrt"] == "10.7.0"


def test_another_jetpack_is_another_robot_to_the_evidence(jetson: Path) -> None:
    before = read_identity(jetson, none)
    put(jetson, "var/lib/dpkg/status", DPKG.replace("6.2+b77", "6.1+b123"))
    after = read_identity(jetson, none)
    assert before.words["jetpack"] != after.words["jetpack"]
    assert before.serial == after.serial


def test_a_package_that_was_removed_does_not_count(jetson: Path) -> None:
    put(jetson, "var/lib/dpkg/status", DPKG.replace("install ok installed", "deinstall ok config-files"))
    words = read_identity(jetson, none).words
    assert (words["jetpack"], words["tensorrt"]) == ("", "")


@pytest.mark.parametrize(
    ("release", "l4t"),
    [
        ("# R32 (release), REVISION: 7.1, GCID: 29818004, BOARD: t210ref", "32.7.1"),
        ("# R35 (release), REVISION: 6, GCID: 1", "35.6"),
        ("R36 is out of order", "36.4.3"),
        ("", "36.4.3"),
    ],
)
def test_l4t_of_each_release_and_from_its_package_where_the_file_says_nothing(
    jetson: Path, release: str, l4t: str
) -> None:
    put(jetson, "etc/nv_tegra_release", release)
    assert read_identity(jetson, none).words["l4t"] == l4t


def test_an_older_cuda_writes_a_text_file(jetson: Path) -> None:
    (jetson / "usr/local/cuda/version.json").unlink()
    put(jetson, "usr/local/cuda/version.txt", "CUDA Version 10.2.300\n")
    assert read_identity(jetson, none).words["cuda"] == "10.2.300"


@pytest.mark.parametrize(
    "broken", [b"", b"{", b"[]", b'{"cuda": 3}', b'{"cuda": {"version": 12}}', b"\xff\xfe", b"[" * 60_000]
)
def test_a_broken_cuda_file_is_an_unknown_version_and_no_crash(jetson: Path, broken: bytes) -> None:
    put(jetson, "usr/local/cuda/version.json", broken)
    assert read_identity(jetson, none).words["cuda"] == ""


@pytest.mark.parametrize(
    "said",
    ["To Be Filled By O.E.M.", "Default string", "System Serial Number", "None", "0000000", "Not Specified", "\n"],
)
def test_a_makers_empty_phrase_is_no_serial_number(tmp_path: Path, said: str) -> None:
    """Otherwise every board of that maker has the same serial, and a sign-off for one robot counts for all."""
    put(tmp_path, "sys/class/dmi/id/product_serial", said)
    put(tmp_path, "etc/machine-id", "3d1219c7c4c5404aaa1f6d2a48adfda4\n")
    known = read_identity(tmp_path, none)
    assert (known.serial, known.serial_source) == ("3d1219c7c4c5404aaa1f6d2a48adfda4", "machine-id")


def test_a_pc_says_what_its_firmware_says(tmp_path: Path) -> None:
    put(tmp_path, "sys/class/dmi/id/product_serial", "PF2ABCDE\n")
    put(tmp_path, "sys/class/dmi/id/product_name", "NUC11PAHi7\n")
    known = read_identity(tmp_path, none)
    assert (known.serial, known.serial_source, known.words["model"]) == ("PF2ABCDE", "dmi", "NUC11PAHi7")


def test_a_computer_that_tells_nothing_has_empty_words_and_no_invented_ones(tmp_path: Path) -> None:
    known = read_identity(tmp_path, none)
    assert (known.serial, known.serial_source) == ("", "")
    assert {name for name, word in known.words.items() if word} == {"kernel", "machine", "python", "agent"}


def test_a_package_that_is_not_installed_has_no_version() -> None:
    assert version_of("fieldgate-has-no-such-package") == ""
    assert version_of("msgspec")


def test_an_endless_status_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    with put(tmp_path, "var/lib/dpkg/status", "").open("wb") as file:
        file.truncate(DPKG_BYTES * 4)
    put(tmp_path, "proc/device-tree/model", b"x" * 1_000_000)
    assert len(read_identity(tmp_path, none).words["model"]) == WORD_LIMIT


@given(st.binary(max_size=400))
def test_no_bytes_in_these_files_do_worse_than_an_odd_word(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path in (
            "proc/device-tree/serial-number",
            "proc/device-tree/model",
            "etc/nv_tegra_release",
            "var/lib/dpkg/status",
            "usr/local/cuda/version.json",
        ):
            put(root, path, data)
        known = read_identity(root, none)
    for word in (known.serial, *known.words.values()):
        assert len(word) <= WORD_LIMIT
        assert word.isprintable()
