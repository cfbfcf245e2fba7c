"""What a person types as a source must either work or say what is wrong with it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.errors import Trouble
from remote.perception.cameras.spec import Source, make_camera, parse_source


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("scene:", Source("scene", "0")),
        ("scene:7?fps=30", Source("scene", "7", 30.0)),
        ("scene:7?fps=5&width=320&height=240", Source("scene", "7", 5.0, 320, 240)),
        ("folder:/a/b?fps=0.5", Source("folder", "/a/b", 0.5)),
        ("folder:/a/what?/b", Source("folder", "/a/what?/b")),
        ("folder:/a/is it?", Source("folder", "/a/is it?")),
        ("video:C:/x.mp4", Source("video", "C:/x.mp4")),
        ("v4l2:/dev/video2?width=1280&height=720", Source("v4l2", "/dev/video2", None, 1280, 720)),
        ("v4l2:0", Source("v4l2", "/dev/video0")),
    ],
)
def test_sources_are_understood(text: str, source: Source) -> None:
    assert parse_source(text) == source


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Write it like"),
        ("/data/pictures", "Write it like"),
        ("foler:/x", "Did you mean `folder:`?"),
        ("folder:", "names no path"),
        ("folder:?fps=3", "names no path"),
        ("scene:-1", "whole number"),
        ("scene:99999999999", "whole number"),
        ("scene:²", "whole number"),
        ("folder:/x?fsp=3", "Did you mean `fps`?"),
        ("folder:/x?width=3", "folder: takes fps"),
        ("folder:/x?fps=0", "fps=0"),
        ("folder:/x?fps=nan", "fps=nan"),
        ("folder:/x?fps=1e9", "fps=1e9"),
        ("folder:/x?fps=3&fps=4", "twice"),
        ("v4l2:/dev/video0?width=wide", "width=wide"),
    ],
)
def test_wrong_sources_say_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(Trouble) as caught:
        parse_source(text)
    assert caught.value.code == "bad_source"
    assert says in str(caught.value)


@given(st.text(max_size=40) | st.builds("{}:{}".format, st.sampled_from(["scene", "folder", "v4l2"]), st.text()))
def test_any_text_is_a_source_or_a_trouble(text: str) -> None:
    with contextlib.suppress(Trouble):
        assert parse_source(text).place


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("folder:{}/none", "No such file"),
        ("folder:{}", "is empty"),
        ("video:{}/none.mp4", "does not exist"),
        ("video:{}", "is not a file"),
        ("video:{}/text.mp4", "can't be played"),
    ],
)
def test_a_source_that_can_never_work_is_told_at_once(tmp_path: Path, source: str, says: str) -> None:
    if "text" in source:
        (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(Trouble, match=says) as caught:
        make_camera(parse_source(source.format(tmp_path)))
    assert caught.value.code == "bad_source"


def test_a_folder_with_other_files_only_has_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".hidden.jpg").write_bytes(b"x")
    with pytest.raises(Trouble, match="holds no pictures"):
        make_camera(parse_source(f"folder:{tmp_path}"))
