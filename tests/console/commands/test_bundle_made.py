"""A bundle that failed where it was made must not go to a robot without a word: `bundle send` and `model push` say it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from console.commands.bundle_made import failed_by_maker, tell_failures
from remote.models.provenance import Provenance
from remote.verdicts import Check


def test_what_failed_where_it_was_made_is_said_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = Check(name="agreement", verdict="fail", text="84.9 %"), Check(name="size", verdict="pass", text="less")
    made = Provenance(step="int8", source="x", opset=17, measured=checks)
    (tmp_path / "provenance.json").write_bytes(msgspec.json.encode(made))
    tell_failures(tmp_path)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"{tmp_path.name}: its maker measured a failure: agreement: 84.9 %\n")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"measured": 3}', b"\xff"])
def test_a_provenance_that_can_not_be_read_is_left_to_who_loads_it(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "provenance.json").write_bytes(data)
    assert failed_by_maker(tmp_path) == failed_by_maker(tmp_path / "none") == ()
