"""A whole campaign without a screen: the grasping pack on the embedded robot, from the first item to the release.

Real agent, real worker, real model, real files, real SSH keys; every word is given to the program itself.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path

import msgspec
import pytest

from console import exits
from console.campaigns.opening import open_campaign
from console.checklist.packs.loading import shipped_packs
from console.checklist.states import PASSED, ChecklistState, ItemState
from console.looking import looking_at
from console.robots import Robots
from tests.waiting import wait_until
from tests.whole.test_demo import fieldgate

PEOPLE = {"anna": ("Anna Alm", ["engineer"]), "bo": ("Bo Berg", ["safety"]), "cy": ("Cy Carl", ["operator", "lead"])}
"""anna builds, bo reviews, cy works beside the robot."""
WITNESSED = ("constraints", "fallback", "recovery_gripper", "recovery_collision", "safety_review")
PHOTOS = ("recovery_gripper", "recovery_collision")


def done(*words: str, code: int = 0) -> str:
    """Run a command that must end with `code`; what it said on stdout."""
    ran = fieldgate(*words)
    assert ran.returncode == code, f"{words}: {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.fixture
def desk(laptop: Path, tmp_path: Path) -> Path:
    """A folder with the examples of the pack, a photo, a letter of the insurer, and three people's keys in the roster."""
    folder = tmp_path / "desk"
    shutil.copytree(shipped_packs()["grasping"].parent / "examples", folder)
    (folder / "sheet.jpg").write_bytes(b"\xff\xd8\xff\xe0 a sheet on a wall")
    (folder / "insurance.pdf").write_bytes(b"%PDF-1.7 covers this robot")
    for principal, (name, roles) in PEOPLE.items():
        key = folder / principal
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        flags = [flag for role in roles for flag in ("--role", role)]
        done("roster", "add", principal, "--name", name, "--key", f"{key}.pub", *flags)
    return folder


def test_the_grasping_pack_goes_from_its_first_item_to_its_release(desk: Path) -> None:
    done("campaign", "new", "demo", "--bundle", "current", "--pack", "grasping", "--files", str(desk), "--as", "anna")
    look()
    done("campaign", "poll", "--role", "engineer", "--go", "--as", "anna")
    assert "open" in done("campaign", "pass", "--stage", "simulation", "--as", "anna")

    vouch(desk)
    assert shown().item("power_mode").state == "n/a"
    done("campaign", "pass", "--stage", "bench", "--as", "anna", code=3)  # nobody has said go yet
    for role, who in (("engineer", "anna"), ("operator", "cy")):
        done("campaign", "poll", "--stage", "bench", "--role", role, "--go", "--as", who)
    done("campaign", "pass", "--stage", "bench", "--as", "anna")

    for role, who in (("engineer", "anna"), ("safety", "bo")):
        done("campaign", "poll", "--role", role, "--go", "--as", who)
    for meaning, who in (("performed", "anna"), ("reviewed", "bo")):
        done("campaign", "pass", "--as", "anna", code=3)
        statement = done("sign", "demo", "--meaning", meaning, "--as", who, "--key", str(desk / who), "--yes")
        assert PEOPLE[who][0] in statement
    done("campaign", "pass", "--as", "anna")
    assert [stage.gate.open for stage in shown().stages] == [True, True, True, False]
    assert "the gate of 'autonomy' is not signed" in done("verify", "demo-grasping", code=3)

    (desk / "real_trials.csv").write_text("success\n" + "false\n" * 12)
    state = shown()
    assert state.item("real_trials").state == "stale"
    release = state.stages[2].gate
    assert not release.open
    assert release.signatures
    assert all(one.void for one in release.signatures)


def test_a_robot_that_is_cut_off_in_the_middle_of_a_look_is_no_pass(desk: Path) -> None:
    done("campaign", "new", "demo", "--bundle", "current", "--pack", "grasping", "--files", str(desk), "--as", "anna")
    campaign = open_campaign("demo")
    with looking_at(Robots().get("demo"), files=campaign.files, bundle=campaign.bundle) as sight:
        assert sight.session is not None
        found: list[ItemState] = []
        thread = threading.Thread(target=lambda: found.append(campaign.attempt("latency", sight, "anna")))
        thread.start()
        wait_until(lambda: campaign.state().item("latency").state == "running", 10, "the look")
        wait_until(lambda: campaign.state().fingerprints, 10, "the robot's facts")
        sight.session.cut(for_s=60)
        thread.join(60)
    assert [one.state for one in found] == ["unavailable"]
    assert found[0].reason
    assert campaign.record.rows()[-1].kind == "attempt"
    campaign.close()


def look() -> None:
    """Let every probe look at the real robot: all pass, but this computer has no power modes."""
    ran = fieldgate("check", "demo", "--as", "anna", limit_s=180)
    assert ran.returncode == exits.NO_DATA, f"{ran.stdout}\n{ran.stderr}"
    sensed = {one.item.id: one.state for one in shown().items() if one.item.kind == "sensed"}
    assert {id for id, state in sensed.items() if state not in PASSED} == {"power_mode"}, ran.stdout
    assert sensed["power_mode"] == "unavailable"


def vouch(desk: Path) -> None:
    """What people confirm and witness; the serial number is the one that the robot showed."""
    campaign = open_campaign("demo")
    digits = campaign.seen_facts()["serial"][-4:]
    campaign.close()
    done("campaign", "confirm", "no_power_modes", "--as", "anna")
    done("campaign", "confirm", "insurance", "--file", str(desk / "insurance.pdf"), "--as", "anna")
    for item in WITNESSED:
        photo = ["--file", str(desk / "sheet.jpg")] if item in PHOTOS else []
        done("campaign", "confirm", item, "--answer", digits, *photo, "--as", "anna")
        done("campaign", "witness", item, "--answer", digits, "--as", "anna", code=1)
        done("campaign", "witness", item, "--answer", digits, "--as", "bo" if item == "safety_review" else "cy")


def shown(code: int = 3) -> ChecklistState:
    """What `campaign show --json` says; it ends with 3 until every gate is open."""
    return msgspec.json.decode(done("campaign", "show", "--json", code=code), type=ChecklistState)
