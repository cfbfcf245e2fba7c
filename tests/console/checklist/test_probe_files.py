"""file_present: an old, empty, cut or wrong file must not pass for the certificate or calibration that was asked for."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.checklist.probes import Finding
from console.checklist.probes.files import FileParameters, look_at_file
from console.fieldtest.criteria import Answer
from console.tables.held import KEEP_LIMIT_BYTES, find
from remote.errors import Trouble
from tests.console.checklist.probe_sight import WALL_NS, GivenSight, S, laptop

DATA = b"insured until 2027\n"
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = tmp_path / "campaign"
    (files / "papers").mkdir(parents=True)
    (files / "papers" / "insurance.pdf").write_bytes(DATA)
    os.utime(files / "papers" / "insurance.pdf", ns=(WALL_NS, WALL_NS - 3600 * S))
    return files


def looked(folder: Path, path: str = "papers/insurance.pdf", **parameters: Any) -> Finding:
    return look_at_file(laptop(folder), msgspec.convert({"path": path, **parameters}, FileParameters))


def on_robot(folder: Path, path: str = "papers/insurance.pdf", **parameters: Any) -> Finding:
    return looked(folder, str(folder / path), where="robot", **parameters)


def answer(found: Finding) -> Answer:
    assert isinstance(found.measurement, Answer)
    return found.measurement


both = pytest.mark.parametrize("look", [looked, on_robot], ids=["laptop", "robot"])


@both
def test_a_file_that_is_there_is_named_by_its_digest(folder: Path, look: Any) -> None:
    found = look(folder)
    assert answer(found).holds
    assert answer(found).words.endswith(f"insurance.pdf: 19 bytes, SHA-256 {DIGEST[:8]}")
    assert found.details == {"bytes": 19, "sha256": DIGEST}
    assert found.files == ()


def test_what_the_evidence_rests_on_is_named_as_the_checklist_names_it(folder: Path) -> None:
    assert looked(folder).fingerprints == {"file:papers/insurance.pdf": DIGEST}
    # Not `file:`: the laptop must not look for it on its own disk.
    assert on_robot(folder).fingerprints == {f"robot_file:{folder}/papers/insurance.pdf": DIGEST}


@both
def test_a_missing_file_fails(folder: Path, look: Any) -> None:
    for path in ("papers/none.pdf", "papers/insurance.pdf/below" if look is looked else "none"):
        found = look(folder, path)
        assert not answer(found).holds
        assert answer(found).words.endswith("is not there")
        assert found.fingerprints == {}


@both
def test_a_folder_or_a_pipe_is_no_file(folder: Path, look: Any) -> None:
    os.mkfifo(folder / "pipe")
    for path in ("papers", "pipe"):
        assert answer(look(folder, path)).words.endswith("is no regular file")


@both
@pytest.mark.parametrize(("least", "holds"), [(19, True), (20, False)])
def test_a_file_that_is_too_short_fails(folder: Path, look: Any, least: int, holds: bool) -> None:
    found = answer(look(folder, min_bytes=least))
    assert found.holds is holds
    assert holds or found.words.endswith("has 19 bytes, fewer than 20")


@both
def test_an_empty_file_is_none_unless_that_is_allowed(folder: Path, look: Any) -> None:
    (folder / "empty").touch()
    assert not answer(look(folder, "empty")).holds
    assert answer(look(folder, "empty", min_bytes=0)).holds


@both
def test_another_content_than_the_wanted_fails(folder: Path, look: Any) -> None:
    assert answer(look(folder, sha256=DIGEST)).holds
    found = answer(look(folder, sha256="0" * 64))
    assert not found.holds
    assert found.words.endswith(f"has SHA-256 {DIGEST[:8]}, not 00000000")


@pytest.mark.parametrize(
    ("age_s", "said"),
    [
        (3600, ""),
        (3601, "was changed 1.0 h ago, more than 1 h"),
        (0, ""),
        (-60, ""),
        (-61, "was changed 61 s in the future: a clock is wrong"),
    ],
)
def test_the_age_of_a_file(folder: Path, age_s: int, said: str) -> None:
    os.utime(folder / "papers" / "insurance.pdf", ns=(WALL_NS, WALL_NS - age_s * S))
    found = answer(looked(folder, max_age="1 h"))
    assert found.holds is not bool(said)
    assert found.words.endswith(said)
    assert answer(looked(folder)).holds


def test_the_age_of_a_file_on_the_robot_is_by_the_robots_clock(folder: Path) -> None:
    path = folder / "papers" / "insurance.pdf"
    os.utime(path)
    assert answer(on_robot(folder, max_age="1 h")).holds
    now_s = path.stat().st_mtime
    os.utime(path, (now_s, now_s - 3700))
    assert answer(on_robot(folder, max_age="1 h")).words.endswith("was changed 1.0 h ago, more than 1 h")


# ---------------------------------------------------------------- where files may be


@pytest.mark.parametrize(
    "path", ["../secret", "papers/../../secret", "papers/../papers/insurance.pdf", "out", "dir/secret"]
)
def test_a_relative_path_does_not_leave_the_campaigns_folder(folder: Path, path: str) -> None:
    (folder.parent / "secret").write_bytes(DATA)
    (folder / "out").symlink_to("../secret")
    (folder / "dir").symlink_to("..")
    with pytest.raises(Trouble) as caught:
        looked(folder, path)
    assert caught.value.code == "bad_path"
    assert "leads out of the campaign's folder" in caught.value.what


def test_an_absolute_path_is_meant(folder: Path) -> None:
    (folder.parent / "outside").write_bytes(DATA)
    found = looked(folder, str(folder.parent / "outside"))
    assert answer(found).holds
    assert found.fingerprints == {f"file:{folder.parent / 'outside'}": DIGEST}


def test_links_within_the_folder_are_followed(folder: Path) -> None:
    (folder / "link").symlink_to("papers/insurance.pdf")
    assert answer(looked(folder, "link")).holds
    (folder.parent / "also").symlink_to(folder)
    assert answer(looked(folder.parent / "also")).holds


def test_links_in_a_circle_and_impossible_names_are_told(folder: Path) -> None:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    for path in ("a", "x" * 300):
        with pytest.raises(Trouble):
            looked(folder, path)
    with pytest.raises(Trouble, match="no path"):
        find(folder, "nul\0")


def test_a_file_that_may_not_be_read_is_told(folder: Path) -> None:
    (folder / "papers" / "insurance.pdf").chmod(0)
    if os.access(folder / "papers" / "insurance.pdf", os.R_OK):
        pytest.skip("this user reads everything")
    with pytest.raises(Trouble, match="can't be read: Permission denied"):
        looked(folder)


# ---------------------------------------------------------------- keeping, the robot's programs


@pytest.mark.parametrize(("extra", "kept"), [(0, True), (1, False)])
def test_a_file_is_kept_up_to_the_limit(folder: Path, extra: int, kept: bool) -> None:
    path = folder / "large"
    with path.open("wb") as file:
        file.truncate(KEEP_LIMIT_BYTES + extra)
    assert looked(folder, "large", keep=True).files == ((path,) if kept else ())
    assert looked(folder, "large").files == ()


def test_a_name_with_odd_characters_is_looked_at_on_the_robot(folder: Path) -> None:
    for name in ("-n", "a b", "a\\b", "line\nbreak", "$(reboot)"):
        (folder / name).write_bytes(DATA)
        assert on_robot(folder, name).details["sha256"] == DIGEST


class StrangeRobot(GivenSight):
    """A robot whose programs answer with given words."""

    def __init__(self, files: Path, answers: dict[str, Any]) -> None:
        super().__init__(files)
        self.answers = answers

    def run(self, argv: tuple[str, ...], timeout_s: float) -> Any:
        from console.link.transport import Ran

        program = "stat" if "stat" in argv else argv[0]
        exit, out, err = self.answers[program]
        return Ran(exit, out, err)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"stat": (127, b"", b"stat: not found")}, "can't look at /f: stat: not found"),
        ({"stat": (1, b"", b"stat: Permission denied")}, "Permission denied"),
        ({"stat": (0, b"rubbish", b"")}, "says nothing that can be read"),
        ({"stat": (0, b"5 7 regular file", b""), "sha256sum": (127, b"", b"no such program")}, "can't read /f"),
        ({"stat": (0, b"5 7 regular file", b""), "sha256sum": (0, b"abc  /f", b"")}, "gave no digest"),
        ({"stat": (0, b"5 7 regular file", b""), "sha256sum": (0, b"a" * 65 + b"  /f", b"")}, "gave no digest"),
    ],
)
def test_a_robot_that_cannot_answer_is_no_missing_file(tmp_path: Path, answers: dict[str, Any], said: str) -> None:
    with pytest.raises(Trouble) as caught:
        look_at_file(StrangeRobot(tmp_path, answers), FileParameters(path="/f", where="robot"))
    assert said in caught.value.what
    assert caught.value.cure


@pytest.mark.parametrize(
    "parameters",
    [
        {"path": ""},
        {"path": "a\0b"},
        {"path": "relative", "where": "robot"},
        {"path": "/f", "where": "robot", "keep": True},
        {"path": "f", "sha256": "abc"},
        {"path": "f", "sha256": "G" * 64},
        {"path": "f", "min_bytes": -1},
        {"path": "f", "max_age": "old"},
    ],
)
def test_parameters_that_could_never_work_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(parameters, FileParameters)
