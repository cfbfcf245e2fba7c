"""robots.yaml: what is kept, and what a person is told about what is wrong in it."""

from __future__ import annotations

import contextlib
import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from console.commands.robot import robot as robot_group
from console.robots import Robot, Robots, Settings
from remote.errors import Trouble


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    return tmp_path / "config" / "robots.yaml"


def test_what_was_added_is_there_next_time(file: Path) -> None:
    settings = Settings(start_agent=True, exit_when_alone_s=2.5)
    made = Robot(name="orin", address="nvidia@192.168.1.100:2222", root="/opt/fg", home="~/agent", settings=settings)
    Robots().add(made)
    assert Robots().get("orin") == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["robots.yaml"]


def test_a_misspelt_robot_is_recognised(file: Path) -> None:
    Robots().add(Robot(name="orin", address="nvidia@10.0.0.1"))
    with pytest.raises(Trouble) as near:
        Robots().get("orim")
    assert "did you mean 'orin'?" in near.value.cure
    with pytest.raises(Trouble) as far:
        Robots().get("zzz")
    assert "did you mean" not in far.value.cure


def test_demo_is_always_there_and_cannot_be_removed(file: Path) -> None:
    assert Robots().get("demo").transport == "local"
    with pytest.raises(Trouble):
        Robots().remove("demo")
    for replace in (False, True):
        with pytest.raises(Trouble, match="embedded robot"):
            Robots().add(Robot(name="demo", address="a@b"), replace=replace)


def test_a_name_is_not_taken_twice_unless_wanted(file: Path) -> None:
    Robots().add(Robot(name="orin", address="a@b"))
    with pytest.raises(Trouble) as caught:
        Robots().add(Robot(name="orin", address="c@d"))
    assert caught.value.code == "robot_exists"
    Robots().add(Robot(name="orin", address="c@d"), replace=True)
    assert Robots().get("orin").address == "c@d"


@pytest.mark.parametrize("address", ["nvidia@192.168.1.100", "orin", "u@[fe80::1%eth0]:22", "u@h:65535", "[::1]"])
def test_addresses_that_are_some(file: Path, address: str) -> None:
    Robots().add(Robot(name="x", address=address))


@pytest.mark.parametrize(
    "address", ["", "-oProxyCommand=touch /tmp/x", "a b", "u@h:0", "u@h:70000", "u@h; rm -rf", "u@"]
)
def test_addresses_that_are_none_are_refused(file: Path, address: str) -> None:
    with pytest.raises(Trouble):
        Robots().add(Robot(name="x", address=address))
    assert not file.exists()


@pytest.mark.parametrize("name", ["", "../up", "-x", "a/b", "a b", "x" * 64])
def test_names_that_would_be_paths_or_options_are_refused(file: Path, name: str) -> None:
    with pytest.raises(Trouble):
        Robots().add(Robot(name=name, address="a@b"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("robots: {orin: {adress: a@b}}", ["adress", "Did you mean `address`?"]),
        ("robots: {orin: {address: a@b, transport: telnet}}", ["telnet"]),
        ("robots: [", ["robots.yaml"]),
        ("robots: {orin: {address: 5}}", ["address"]),
        ("robots: {orin: {address: a@b, root: relative}}", ["relative"]),
        ("robots: !!python/object/apply:os.system ['true']", ["robots.yaml"]),
        ("\x00\x01", ["robots.yaml"]),
    ],
)
def test_a_wrong_file_is_named_with_the_place(file: Path, text: str, words: list[str]) -> None:
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(Trouble) as caught:
        Robots()
    assert all(word in str(caught.value) for word in words)
    assert file.read_text() == text


@given(st.binary(max_size=200))
def test_no_file_content_is_a_traceback(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "robots.yaml"
        path.write_bytes(data)
        with contextlib.suppress(Trouble):
            Robots(path)
        assert path.read_bytes() == data


def test_the_commands_add_list_show_and_remove(file: Path) -> None:
    run = CliRunner().invoke
    assert run(robot_group, ["add", "orin", "nvidia@192.168.1.100"]).exit_code == 0
    listed = json.loads(run(robot_group, ["list", "--json"]).stdout)
    assert [one["name"] for one in listed] == ["orin", "demo"]
    shown = json.loads(run(robot_group, ["show", "orin", "--json"]).stdout)
    assert (shown["host"], shown["user"], shown["port"]) == ("192.168.1.100", "nvidia", 22)
    assert isinstance(run(robot_group, ["remove", "orin"], input="n\n").exception, Trouble)
    assert run(robot_group, ["remove", "orin", "--yes"]).exit_code == 0
    assert [one.name for one in Robots().all()] == ["demo"]
