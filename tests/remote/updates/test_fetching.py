"""Fetching files through bad networks, hostile servers and full disks; what was fetched is not fetched again."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.errors import Trouble
from remote.manifest import MANIFEST
from remote.updates.opening import Refused, Unreachable, opened
from remote.updates.pace import LEAST_BYTES_PER_S, WINDOW_S, Pace, TooSlow
from remote.updates.staging import CHUNK_BYTES, staging
from tests.file_server import Request, Server
from tests.killing import limited
from tests.remote.updates.looking_robot import Robot
from tests.tuf_repository import Repository, bundle_files
from tests.waiting import wait_until

LARGE = hashlib.sha256(b"seed").digest() * (5 * CHUNK_BYTES // 32) + b"and a rest"
FILES = bundle_files(LARGE)


@pytest.fixture
def large(repository: Repository, robot: Robot) -> Robot:
    """A robot to which a bundle of 5 MiB is open."""
    repository.release(2, FILES)
    repository.open(2, everyone=True)
    repository.publish(bump=True)
    return robot


def send_begin(request: Request, count: int) -> None:
    """Promise all of the model and send so many bytes."""
    request.send_response(200)
    request.send_header("Content-Length", str(len(LARGE)))
    request.end_headers()
    request.send(LARGE[:count])


def cut_after(count: int) -> Callable[[Request], bool]:
    """The connection breaks once, after so many bytes of the model."""
    done: list[bool] = []

    def behave(request: Request) -> bool:
        if not request.path.endswith("model.onnx") or done:
            return False
        done.append(True)
        send_begin(request, count)
        return True

    return behave


CUTS = [1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES - 1, 4 * CHUNK_BYTES + 17]


@pytest.mark.parametrize("count", CUTS)
def test_a_broken_download_goes_on_and_sends_at_most_one_chunk_twice(large: Robot, server: Server, count: int) -> None:
    server.behave = cut_after(count)
    trouble = large.refused()
    assert trouble.code == "repository_unreachable"
    assert "ended early" in trouble.what
    found = large.look()
    assert (Path(found.folder) / "model.onnx").read_bytes() == LARGE
    assert server.bytes_of("model.onnx") <= len(LARGE) + CHUNK_BYTES


def test_a_client_killed_in_the_middle_goes_on_where_it_was(large: Robot, server: Server) -> None:
    """kill -9 while the server holds back the rest: the next client asks for the rest only."""
    held: list[Request] = []

    def behave(request: Request) -> bool:
        if not request.path.endswith("model.onnx") or held:
            return False
        held.append(request)
        send_begin(request, 3 * CHUNK_BYTES + 5)
        request.connection.settimeout(20)
        request.rfile.read(1)  # until the client is gone
        return True

    server.behave = behave
    order = large.folder / "order.json"
    order.write_bytes(msgspec.json.encode(large.order))
    command = [sys.executable, "-m", "remote.updates.client_process", str(order)]
    client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    part = large.folder / "bundles"
    wait_until(lambda: sum(one.stat().st_size for one in part.glob(".staging-*/*.part")) >= 3 * CHUNK_BYTES)
    client.send_signal(signal.SIGKILL)
    client.communicate()
    found = large.look()
    assert (Path(found.folder) / "model.onnx").read_bytes() == LARGE
    assert server.bytes_of("model.onnx") <= len(LARGE) + CHUNK_BYTES + 5


def test_the_client_ends_with_the_agent_that_started_it(large: Robot, server: Server) -> None:
    """An agent that is killed leaves no client behind that writes beside the next one."""
    server.behave = lambda request: request.rfile.read(1) == b"" or True
    order = large.folder / "order.json"
    order.write_bytes(msgspec.json.encode(large.order))
    command = [sys.executable, "-m", "remote.updates.client_process", str(order)]
    client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    wait_until(lambda: server.sent)
    assert client.stdin is not None
    client.stdin.close()
    assert client.wait(60) == 3


def test_a_server_without_ranges_sends_everything_again_and_it_is_right(large: Robot, server: Server) -> None:
    server.behave = cut_after(3 * CHUNK_BYTES)
    large.refused()
    server.ranges = False
    assert (Path(large.look().folder) / "model.onnx").read_bytes() == LARGE


def test_a_part_that_was_damaged_is_noticed_and_fetched_anew(large: Robot, server: Server) -> None:
    server.behave = cut_after(3 * CHUNK_BYTES)
    large.refused()
    (part,) = large.folder.glob("bundles/.staging-*/model.onnx.part")
    part.write_bytes(b"\0" * part.stat().st_size)
    assert (Path(large.look().folder) / "model.onnx").read_bytes() == LARGE


def test_a_part_that_is_longer_than_the_file_is_no_help_to_anybody(large: Robot, server: Server) -> None:
    server.behave = cut_after(3 * CHUNK_BYTES)
    large.refused()
    (part,) = large.folder.glob("bundles/.staging-*/model.onnx.part")
    part.write_bytes(LARGE + LARGE)
    assert (Path(large.look().folder) / "model.onnx").read_bytes() == LARGE


def test_a_complete_file_that_was_changed_on_the_disk_is_fetched_again(large: Robot) -> None:
    model = Path(large.look().folder) / "model.onnx"
    model.write_bytes(b"x" + LARGE[1:])
    assert (Path(large.look().folder) / "model.onnx").read_bytes() == LARGE


# ------------------------------------------------------------------ hostile servers


def answers(name: str, data: bytes, status: int = 200, **headers: str) -> Callable[[Request], bool]:
    """Requests for files whose path ends so get this."""

    def behave(request: Request) -> bool:
        if not request.path.endswith(name):
            return False
        request.send_response(status)
        for header, value in headers.items():
            request.send_header(header.replace("_", "-"), value)
        request.end_headers()
        request.send(data)
        return True

    return behave


HOSTILE: dict[str, tuple[Callable[[Request], bool], str]] = {
    "longer-model": (answers("model.onnx", LARGE + b"!"), "too_much_data"),
    "endless-model": (answers("model.onnx", LARGE * 4), "too_much_data"),
    "shorter-model": (answers("model.onnx", LARGE[:-1]), "target_changed"),
    "other-model": (answers("model.onnx", b"x" * len(LARGE)), "target_changed"),
    "other-manifest": (answers(MANIFEST, b"x" * len(FILES[MANIFEST])), "target_changed"),
    "longer-rollout": (answers("rollout.json", b"x" * 10_000), "too_much_data"),
    "redirect-away": (answers("model.onnx", b"", 302, Location="http://192.0.2.1/model.onnx"), "repository_refused"),
    "redirect-timestamp": (answers("timestamp.json", b"", 301, Location="http://192.0.2.1/t"), "repository_refused"),
    "redirect-to-file": (answers("model.onnx", b"", 302, Location="file:///etc/passwd"), "repository_unreachable"),
    "compressed-model": (answers("model.onnx", LARGE, Content_Encoding="gzip"), "repository_refused"),
    "compressed-timestamp": (answers("timestamp.json", b"", Content_Encoding="br"), "repository_refused"),
    "gone-model": (answers("model.onnx", b"", 404), "repository_unreachable"),
    "broken-server": (answers("timestamp.json", b"", 503), "repository_unreachable"),
    "not-http": (answers("timestamp.json", b"", 200, Content_Length="-5"), "metadata_invalid"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_server_gets_nothing_onto_the_robot(large: Robot, server: Server, name: str) -> None:
    behave, code = HOSTILE[name]
    server.behave = behave
    trouble = large.refused()
    assert trouble.code == code, trouble.what
    server.behave = lambda request: False
    assert (Path(large.look().folder) / "model.onnx").read_bytes() == LARGE


def test_a_redirect_that_goes_round_for_ever_ends(large: Robot, server: Server) -> None:
    server.behave = answers("model.onnx", b"", 302, Location=f"{server.url}/round/model.onnx")
    assert large.refused().code == "repository_unreachable"
    assert len([one for one in server.sent if one.path.startswith("/round")]) < 10


def test_a_redirect_within_the_server_is_followed(large: Robot, server: Server) -> None:
    def behave(request: Request) -> bool:
        if "moved" in request.path:
            request.path = request.path.removeprefix("/moved")
            return False
        return answers("model.onnx", b"", 302, Location=f"{server.url}/moved{request.path}")(request)

    server.behave = behave
    assert large.look().outcome == "taken"


def test_a_range_that_was_not_asked_for_is_refused(large: Robot, server: Server) -> None:
    server.behave = cut_after(3 * CHUNK_BYTES)
    large.refused()
    server.behave = answers("model.onnx", b"abc", 206, Content_Range=f"bytes 7-9/{len(LARGE)}")
    assert large.refused().code == "repository_refused"


def test_nobody_there_is_said(large: Robot) -> None:
    trouble = large.refused(url="http://127.0.0.1:1")
    assert trouble.code == "repository_unreachable"
    assert "refused" in trouble.what


# ------------------------------------------------------------------ slow servers, by an injected clock


def pace(pieces: list[tuple[float, int]]) -> None:
    """Feed a Pace with (seconds that passed, bytes that came)."""
    now = [0]
    judge = Pace(lambda: now[0])
    for seconds, count in pieces:
        now[0] += int(seconds * 1e9)
        judge.got(count)


def test_a_server_at_the_least_rate_is_waited_for_and_one_below_is_not() -> None:
    enough = int(LEAST_BYTES_PER_S * WINDOW_S)
    pace([(WINDOW_S, enough)] * 5)
    with pytest.raises(TooSlow):
        pace([(WINDOW_S, enough), (WINDOW_S, enough - 1)])


def test_a_drip_is_too_slow_although_something_always_comes() -> None:
    with pytest.raises(TooSlow):
        pace([(1.0, 10)] * 30)


def test_a_pause_is_forgiven_when_much_came() -> None:
    pace([(15.0, 0), (10.0, 10**6)])


@given(st.lists(st.tuples(st.floats(0.001, 5.0), st.integers(8 * 1024, 10**6)), max_size=50))
def test_nobody_above_the_rate_is_ever_turned_away(pieces: list[tuple[float, int]]) -> None:
    pace(pieces)


def test_a_slow_server_is_told_and_what_came_is_kept(
    large: Robot, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of this look passes a minute with each piece."""
    from remote.updates.look import look

    now = iter(range(0, 10**15, 120 * 10**9))
    with pytest.raises(Trouble) as raised:
        look(large.order, large.said.append, lambda: large.now_wall_ns, lambda: next(now))
    assert raised.value.code == "repository_slow"


# ------------------------------------------------------------------ the robot's own disk


def test_a_full_disk_is_said_before_anything_is_fetched(large: Robot, server: Server) -> None:
    trouble = large.refused(free_floor_bytes=10**15)
    assert trouble.code == "no_space"
    assert not server.bytes_of("model.onnx")


def test_a_disk_that_fills_while_it_is_written_is_said_and_gone_on_with(large: Robot, server: Server) -> None:
    """A file that can't grow beyond 2 MiB stands for the full disk: the same error at the same call."""

    def work() -> None:
        assert large.refused().code == "no_space"

    assert limited(work, 2 * CHUNK_BYTES, deadly=False) == 0
    assert (Path(large.look().folder) / "model.onnx").read_bytes() == LARGE
    assert any(one.range == f"bytes={CHUNK_BYTES}-" for one in server.sent)


def test_a_power_cut_in_the_middle_of_a_write_is_gone_on_with(large: Robot, server: Server) -> None:
    assert limited(large.look, 2 * CHUNK_BYTES + 100, deadly=True) == -signal.SIGXFSZ
    assert (Path(large.look().folder) / "model.onnx").read_bytes() == LARGE


TRAPS: dict[str, Callable[[Path, Path], None]] = {
    "link-as-part": lambda folder, victim: (folder / "model.onnx.part").symlink_to(victim),
    "link-as-file": lambda folder, victim: (folder / "model.onnx").symlink_to(victim),
    "hard-link": lambda folder, victim: os.link(victim, folder / "model.onnx.part"),
    "fifo": lambda folder, victim: os.mkfifo(folder / "model.onnx.part"),
    "folder": lambda folder, victim: (folder / "model.onnx" / "deep").mkdir(parents=True),
    "more-files": lambda folder, victim: (folder / "extra.bin").symlink_to(victim),
}


@pytest.mark.parametrize("name", TRAPS)
def test_what_lies_in_the_staging_folder_can_redirect_nothing(large: Robot, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    folder = Path(large.look().folder)
    (folder / "model.onnx").unlink()
    TRAPS[name](folder, victim)
    found = large.look()
    assert victim.read_bytes() == b"precious"
    assert {one.name: one.read_bytes() for one in Path(found.folder).iterdir()} == FILES
    assert not any(one.is_symlink() for one in folder.iterdir())


def test_a_link_instead_of_the_staging_folder_is_replaced(large: Robot, tmp_path: Path) -> None:
    folder = Path(large.look().folder)
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    for one in elsewhere.iterdir():
        one.unlink()
    assert large.look().outcome == "taken"
    assert not folder.is_symlink()
    assert not list(elsewhere.iterdir())


def test_a_staging_folder_of_somebody_else_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(Trouble) as raised, staging(tmp_path / "file" / "inside"):
        pass
    assert raised.value.code == "staging_unwritable"


# ------------------------------------------------------------------ a folder instead of a network


@pytest.fixture
def stick(repository: Repository) -> Repository:
    return repository


def test_a_stick_is_as_good_as_a_network(large: Robot, stick: Repository, server: Server) -> None:
    assert (Path(large.look(url=stick.url).folder) / "model.onnx").read_bytes() == LARGE
    assert not server.sent


def test_a_stale_stick_can_not_bring_back_what_was_before(large: Robot, stick: Repository, tmp_path: Path) -> None:
    import shutil

    old = tmp_path / "old"
    shutil.copytree(stick.folder, old)
    stick.publish(bump=True)
    large.look()
    assert large.refused_after_all(url=old.as_uri()).code == "metadata_rollback"


def test_a_forged_stick_is_refused(large: Robot, tmp_path: Path) -> None:
    forged = Repository(tmp_path / "forged")
    forged.release(9, FILES)
    forged.open(9, everyone=True)
    forged.publish(bump=True)
    assert large.refused(url=forged.url).code == "metadata_unsigned"


def test_a_stick_with_a_changed_file_is_refused(large: Robot, stick: Repository) -> None:
    for path in stick.folder.glob("targets/bundles/*/*.model.onnx"):
        path.write_bytes(b"x" * path.stat().st_size)
    assert large.refused(url=stick.url).code == "target_changed"


STICK_TRAPS: dict[str, Callable[[Path], None]] = {
    "link": lambda path: path.symlink_to("/etc/passwd"),
    "fifo": os.mkfifo,
    "folder": Path.mkdir,
}


@pytest.mark.parametrize("name", STICK_TRAPS)
def test_what_is_no_file_on_a_stick_is_neither_followed_nor_waited_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / "timestamp.json"
    STICK_TRAPS[name](path)
    with pytest.raises((Refused, Unreachable)), opened(path.as_uri()):
        pass


@pytest.mark.parametrize("url", ["file:///a/../../etc/passwd", "file:///a/%2e%2e/b", "file://host/x", "ftp://h/x", "x"])
def test_an_address_that_leads_away_is_refused(url: str) -> None:
    with pytest.raises(Refused), opened(url):
        pass
