"""CheckBundle: the robot tries a bundle beside its running worker; a bad one is named, and nothing outlives the agent."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from remote.agent.bundle_check import BundleCheck
from remote.child_side import NICENESS
from remote.errors import Trouble
from remote.models.check import CheckReport
from remote.models.check_process import Checked
from remote.protocol import BundleReport, CheckBundle, ErrorInfo, GetState, Start
from tests.remote.agent.robot import ROOT, Console, Robot, environment
from tests.remote.agent.test_facts import put_bundle
from tests.waiting import wait_until


def report_of(console: Console, digest: str) -> BundleReport:
    reply = console.ask(CheckBundle(digest))
    assert reply.error is None, reply.error
    assert reply.bundle_report is not None
    return reply.bundle_report


def refusal_of(console: Console, digest: str) -> ErrorInfo:
    error = console.ask(CheckBundle(digest)).error
    assert error is not None
    return error


# ------------------------------------------------------------ a real agent


def test_a_good_bundle_is_run_without_the_lease_while_the_worker_goes_on(robot: Robot, tmp_path: Path) -> None:
    digest = put_bundle(robot.home, tmp_path / "made")
    console = robot.console()
    epoch = console.take_lease()
    started = console.ask(Start(), epoch=epoch).state
    assert started is not None
    watcher = robot.console("ben")
    found = report_of(watcher, digest[:12])
    assert (found.digest, found.name, found.runs) == (digest, "tiny", 20)
    assert 0 < found.inference_p50_ms <= found.inference_max_ms
    assert found.engine.startswith("ONNX Runtime")
    assert found.model_bytes == (robot.home / "bundles" / digest / "model.onnx").stat().st_size
    after = watcher.ask(GetState()).state
    assert after is not None
    assert (after.worker.phase, after.worker.pid) == ("running", started.worker.pid)


def test_a_changed_model_is_named_with_the_checks_own_code(robot: Robot, tmp_path: Path) -> None:
    digest = put_bundle(robot.home, tmp_path / "made")
    with (robot.home / "bundles" / digest / "model.onnx").open("r+b") as file:
        file.seek(40)
        file.write(b"\xff")
    refused = refusal_of(robot.console(), digest)
    assert refused.code == "bundle_changed"
    assert "model.onnx" in refused.what
    assert refused.cure


@pytest.mark.parametrize("digest", ["0" * 64, "66f284", "", "../../etc"])
def test_a_bundle_that_is_not_there_is_said_to_be_unknown(idle: Robot, digest: str) -> None:
    assert refusal_of(idle.console(), digest).code == "unknown_bundle"


def test_a_check_that_is_asked_again_after_a_broken_link_gives_the_first_answer(robot: Robot, tmp_path: Path) -> None:
    digest = put_bundle(robot.home, tmp_path / "made")
    console = robot.console()
    first = console.ask(CheckBundle(digest), id="c-1")
    assert console.ask(CheckBundle(digest), id="c-1") == first


# ------------------------------------------------------------ the child, when things go wrong

SLEEPER = (sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)")


def script(text: str) -> BundleCheck:
    return BundleCheck(Path("/"), limit_s=20, command=(sys.executable, "-c", text))


async def test_only_one_check_runs_at_a_time_and_the_next_one_may_begin_afterwards(tmp_path: Path) -> None:
    check = BundleCheck(tmp_path, limit_s=0.3, command=SLEEPER)
    first = asyncio.ensure_future(check.run(tmp_path, 1))
    await asyncio.sleep(0)
    with pytest.raises(Trouble) as busy:
        await check.run(tmp_path, 1)
    assert busy.value.code == "check_busy"
    for attempt in (first, check.run(tmp_path, 1)):
        with pytest.raises(Trouble) as late:
            await attempt
        assert late.value.code == "check_timeout"


async def test_a_check_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    made = tmp_path / "pid"
    check = BundleCheck(tmp_path, limit_s=1.5, command=("/bin/sh", "-c", f"sleep 300 & echo $! > {made}; wait"))
    with pytest.raises(Trouble, match="did not end within"):
        await check.run(tmp_path, 1)
    wait_until(lambda: not alive(int(made.read_text())), 5, "the child's child to be gone")


async def test_a_check_that_dies_says_how_and_its_last_words() -> None:
    check = script("import os, signal, sys; print('out of memory', file=sys.stderr); os.kill(os.getpid(), 11)")
    with pytest.raises(Trouble) as crashed:
        await check.run(Path("/b"), 1)
    assert crashed.value.code == "check_crashed"
    assert "SIGSEGV" in crashed.value.what
    assert "out of memory" in crashed.value.what


@pytest.mark.parametrize(
    "said",
    ["''", "'{}'", "'[1'", "'null'", """'{"report": {"name": 3}}'""", "chr(255)", "'x' * 200_000", "'[' * 60_000"],
)
async def test_an_answer_that_is_none_is_a_crash_and_no_pass(said: str) -> None:
    with pytest.raises(Trouble) as crashed:
        await script(f"print({said})").run(Path("/b"), 1)
    assert crashed.value.code == "check_crashed"


async def test_a_check_that_can_not_be_started_says_so(tmp_path: Path) -> None:
    with pytest.raises(Trouble) as refused:
        await BundleCheck(tmp_path, command=("/no/such/python",)).run(tmp_path, 1)
    assert refused.value.code == "no_check"


def test_the_child_says_exactly_a_report_or_an_error() -> None:
    assert msgspec.json.decode(b"{}", type=Checked) == Checked()
    report = CheckReport(
        name="n",
        digest="d",
        head="h",
        labels=1,
        input_shape=(1,),
        output_shape=(1,),
        engine="e",
        runs=1,
        inference_p50_ms=1.0,
        inference_max_ms=1.0,
        model_bytes=1,
    )
    assert msgspec.json.decode(msgspec.json.encode(Checked(report=report)), type=Checked).report == report


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


ENDLESS = (
    "import os, time, remote.models.check_process as c\n"
    "c.check_bundle = lambda *a, **k: (open(os.environ['FG_PID'], 'w').write(str(os.getpid())), time.sleep(60))\n"
    "c.main()\n"
)
"""The real child, but for a check that takes a minute; it writes its process id into the file FG_PID."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_running_check_ends_with_whoever_asked_for_it(tmp_path: Path, number: signal.Signals) -> None:
    """Otherwise a killed agent leaves a process behind that holds a gigabyte of the robot's memory."""
    noted = tmp_path / "pid"
    code = (
        "import asyncio, sys; from pathlib import Path; from remote.agent.bundle_check import BundleCheck\n"
        f"check = BundleCheck(Path('/'), command=(sys.executable, '-c', {ENDLESS!r}))\n"
        "asyncio.run(check.run(Path('/b'), 1))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env={**environment(), "FG_PID": str(noted)})
    child = int(wait_until(lambda: noted.exists() and noted.read_text(), 15, "the check to begin"))
    assert alive(child)
    parent.send_signal(number)
    parent.wait(60)
    wait_until(lambda: not alive(child), 5, "the check's process to be gone")


async def test_a_check_that_is_called_off_is_ended_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = tmp_path / "pid"
    monkeypatch.setenv("FG_PID", str(noted))
    running = asyncio.ensure_future(script(ENDLESS).run(Path("/b"), 1))
    child = int(await asyncio.to_thread(wait_until, lambda: noted.exists() and noted.read_text(), 15, "its begin"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not alive(child)


def test_the_check_makes_itself_nice_and_a_librarys_print_is_no_answer(tmp_path: Path) -> None:
    code = (
        "import os, remote.models.check_process as c\n"
        "c.check_bundle = lambda *a, **k: (print('hello from a library'), c.CheckReport(name=str(os.nice(0)), digest='',"
        " head='', labels=1, input_shape=(1,), output_shape=(1,), engine='', runs=1, inference_p50_ms=1.0,"
        " inference_max_ms=1.0, model_bytes=1))[1]\n"
        "c.main()\n"
    )
    found = asyncio.run(script(code).run(Path("/b"), 1))
    assert int(found.name) == min(19, os.nice(0) + NICENESS)
