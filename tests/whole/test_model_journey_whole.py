"""A model's whole way on the demo robot: exported, quantised, compared, a worse one taken back in probation, the better one
kept, released by two people and taken over the air; read headless, and on a screen that is open all the while.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from console.app import FieldgateApp
from console.fieldtest.kpis import load_kpis
from console.link.opening import open_session
from console.link.session import Session
from console.robots import Robots
from remote.manifest import MANIFEST, digest_of
from tests.console.screens.driving import screen_text
from tests.file_server import serving

pytestmark = pytest.mark.whole
EMBEDDED = Path(__file__).parents[2] / "remote" / "bundles" / "tabletop"
FRAMES = 120
"""Of probation, at 30 a second. 120 without a failed one show with 97.5 % confidence that fewer than 5 % fail."""
PUSH = f"--probation-frames {FRAMES} --least-s 2 --most-s 60 --p99-ratio 0 --failed-share 0.05"
SETTINGS = """\
source: "scene:?fps=30"
idle: {{file: {idle}}}
probation: {{frames: {frames}, least_s: 2, most_s: 60, p99_ratio: null, failed_share: 0.05}}
"""


def fieldgate(folder: Path, words: str, wanted: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the program as people do; AssertionError with what it said where it ends otherwise."""
    command = [str(Path(sys.executable).with_name("fieldgate")), *shlex.split(words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == wanted, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


class Journey:
    """One laptop with one robot: the program as people run it, and the screen that is open beside it."""

    def __init__(self, folder: Path, app: FieldgateApp, pilot: Pilot[int], session: Session) -> None:
        self.folder, self.app, self.pilot, self.session = folder, app, pilot, session

    async def run(self, words: str, *, wanted: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command while the screen goes on."""
        return await asyncio.to_thread(fieldgate, self.folder, words, wanted)

    async def models(self) -> dict[str, Any]:
        """What the robot says of its models to scripts."""
        found = json.loads((await self.run("model list demo --json")).stdout)["state"]
        assert isinstance(found, dict)
        return found

    async def reads(self, *words: str, timeout_s: float = 60.0) -> str:
        """Wait until all these words stand on the screen at once."""
        await self.until(lambda: all(word in self.screen for word in words), f"{words} on the screen", timeout_s)
        return self.screen

    async def until(self, holds: Callable[[], bool], what: str, timeout_s: float = 60.0) -> None:
        """Let the screen work until it holds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_s
        while not holds():
            assert loop.time() < end, f"waited {timeout_s:g} s in vain for {what}:\n{screen_text(self.app)}"
            await self.pilot.pause(0.05)

    @property
    def screen(self) -> str:
        """What stands on it, in one line: the frame around it is no word, and words may be broken anywhere."""
        return " ".join(screen_text(self.app).replace("│", " ").split())

    def journal(self, name: str) -> list[dict[str, Any]]:
        """The robot's entries of that name, as this laptop knows them."""
        return [dict(seen.body.data) for seen in self.session.snapshot.events if seen.body.name == name]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Journey]:
    """The models screen on the demo robot."""
    session = open_session(Robots().get("demo"))
    app = FieldgateApp(session, robot="demo", kpis=load_kpis())
    try:
        async with app.run_test(size=(160, 50), notifications=True) as pilot:
            journey = Journey(folder, app, pilot, session)
            await pilot.press("5")
            await journey.reads("demo runs tabletop dab13482, came with the agent")
            yield journey
    finally:
        session.close()


def make(folder: Path) -> None:
    """From the bundle that came with the agent to a good one and a bad one."""
    from remote.training.write_scenes import write_scenes

    for name, count, seed in (("scenes", 100, 100_000), ("held", 50, 900_000)):
        write_scenes(folder / name, count=count, seed=seed)
    fieldgate(folder, f"model export {EMBEDDED} --output float")
    optimise = "model optimise float --int8 --calibrate scenes/images --prune 0.9 --keep-refused --images held/images"
    made = fieldgate(folder, f"{optimise} --runs 0 --output made --json", wanted=3)
    said = {row["step"]: row for row in map(json.loads, made.stdout.splitlines())}
    assert {step: row["verdict"] for step, row in said.items()} == {"int8": "pass", "prune": "fail"}
    assert said["int8"]["digest"] == digest_of_bundle(folder / "made" / "tabletop-int8")
    bundles = "float made/tabletop-int8 made/tabletop-prune"
    compare = f"model compare {bundles} --images held/images --labels held/labels --runs 0"
    table = fieldgate(folder, compare, wanted=3).stdout.splitlines()
    # What does not fit stands in a second table below: the first one has the verdicts.
    lines = [line.split() for line in reversed(table) if line.startswith("tabletop-") and ":" not in line]
    rows = {words[0]: words[-1] for words in lines}
    assert rows == {"tabletop-int8": "pass", "tabletop-prune": "fail"}


def digest_of_bundle(folder: Path) -> str:
    return digest_of((folder / MANIFEST).read_bytes())


async def test_a_model_is_made_found_worse_returned_kept_released_and_taken_over_the_air(
    laptop: Path, tmp_path: Path
) -> None:
    make(tmp_path)
    robot, idle = laptop / "data" / "demo", tmp_path / "arm-is-idle"
    robot.mkdir(parents=True, mode=0o700)
    (robot / "settings.yaml").write_text(SETTINGS.format(idle=idle, frames=FRAMES))
    idle.touch()
    async with opened(tmp_path) as journey:
        await worse_is_returned(journey)
        await better_is_kept(journey)
        idle.unlink()
        await taken_over_the_air(journey, idle)
        await taken_from_a_stick(journey)


async def worse_is_returned(journey: Journey) -> None:
    """It sees nothing: no error, no crash, only no boxes."""
    before = (await journey.models())["current"]
    push = asyncio.create_task(journey.run(f"model push made/tabletop-prune demo {PUSH}", wanted=3))
    await journey.reads("probation of tabletop-prune", f"of {FRAMES} frames", "✔ self-test")
    said = (await push).stdout
    assert said.startswith("returned: ")
    assert " boxes a frame, " in said
    models = await journey.models()
    assert (models["current"]["digest"], models["step"], models["last"]["ended"]) == (
        before["digest"],
        "idle",
        "returned",
    )
    failed = [check for check in models["last"]["checks"] if check["verdict"] == "fail"]
    assert [check["name"] for check in failed] == ["boxes"]
    assert failed[0]["n"] >= FRAMES
    shown = await journey.reads("RETURNED", "was taken back in probation", "demo runs tabletop dab13482")
    assert failed[0]["text"] in shown, "the numbers stand on the screen as scripts get them"
    assert journey.journal("model_change_ended")[-1]["ended"] == "returned"


async def better_is_kept(journey: Journey) -> None:
    digest = digest_of_bundle(journey.folder / "made" / "tabletop-int8")
    said = json.loads((await journey.run(f"model push made/tabletop-int8 demo {PUSH} --json")).stdout)
    assert (said["ended"], said["digest"]) == ("committed", digest)
    assert {check["verdict"] for check in said["checks"]} <= {"pass", "skipped"}
    models = await journey.models()
    assert (models["current"]["digest"], models["current"]["origin"]) == (digest, "push")
    assert models["previous"]["origin"] == "agent"
    await journey.reads(f"demo runs tabletop-int8 {digest[:8]}, pushed by", "✔ kept")
    assert (await journey.run("model back demo --reason 'it comes as a release'")).stdout.startswith("went back")
    await journey.reads("demo runs tabletop dab13482", "it comes as a release")


async def taken_over_the_air(journey: Journey, idle: Path) -> None:
    """Two people sign; the robot takes it when it says that it is idle, and no sooner."""
    for name in ("anna", "ben"):
        await journey.run(f"updates key new {name}.pem --unencrypted")
    await journey.run("updates init up --threshold 2 --key anna.pem --key ben.pem --online-unencrypted")
    await journey.run("publish made/tabletop-int8 --to up --class gripper --key anna.pem --notes smaller")
    await journey.run("updates sign up --key ben.pem --yes")
    with serving(journey.folder / "up") as server:
        await journey.run(f"updates enrol demo --repo up --url {server.url} --class gripper --only-when-told")
        assert "opened no release yet" in (await journey.run("updates take demo")).stdout
        (journey.folder / "up" / "fleet.yaml").write_text("robots: [demo]\nwaves: [[demo]]\n")
        await journey.run("updates wave up --next")
        assert "took release 1" in (await journey.run("updates take demo")).stdout
        assert server.bytes_of("timestamp.json")
        assert not server.bytes_of("model.onnx"), "it has every file since the push, and fetches none again"
    await journey.reads("waits", f"{idle.name} is not there")
    assert (await journey.models())["step"] == "waiting_for_safe"
    idle.touch()
    await journey.reads("probation of tabletop-int8")
    await journey.reads("demo runs tabletop-int8", "release 1", "✔ kept")
    models = await journey.models()
    assert (models["current"]["release"], models["current"]["origin"]) == (1, "release")
    assert (models["last"]["ended"], models["updates"]["release"]) == ("committed", 1)
    steps = [entry["step"] for entry in journey.journal("model_step") if entry.get("release") == 1]
    order = ["verified", "staged", "building", "self_test", "waiting_for_safe", "switched", "probation", "committed"]
    assert [step for step in steps if step in order] == order
    assert "done" in (await journey.run("updates wave up")).stdout


async def taken_from_a_stick(journey: Journey) -> None:
    """The same without a network: what lies on the stick is held to the same keys."""
    await journey.run("publish float --to up --class gripper --key anna.pem --key ben.pem --wave everyone")
    await journey.run("updates copy up stick")
    assert "took release 2" in (await journey.run(f"updates take demo --from {journey.folder}/stick")).stdout
    await journey.reads("demo runs tabletop abfabf33, from a stick, release 2", "✔ kept")
    assert (await journey.models())["current"]["origin"] == "usb"
