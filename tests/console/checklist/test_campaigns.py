"""Making, finding and opening campaigns: what was begun is found again, what a kill left is told and made anew."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys

import pytest

from console.campaigns.opening import (
    all_campaigns,
    campaign_of_robot,
    campaigns_dir,
    open_campaign,
)
from console.record.record import Record
from remote.errors import Trouble
from tests.console.checklist.campaign_world import PACK, World, last
from tests.console.checklist.given_robot import BUNDLE
from tests.console.checklist.test_campaign_vouching import refused
from tests.waiting import wait_until


def test_a_campaign_holds_the_very_texts_that_it_goes_by(world: World) -> None:
    overlay = world.folder / "cell.yaml"
    overlay.write_text(
        "format: 1\noverlay: cell\npack: small\nreason: a weak gripper\n"
        "items:\n  sheet: {not_applicable: the procedure is on the screen}\n"
    )
    campaign = world.campaign(overlays=[overlay])
    world.pack.unlink()
    overlay.unlink()
    opened = last(campaign, "opened")
    assert campaign.record.attachment(opened.pack.digest) == PACK.encode()
    assert (opened.robot, opened.bundle, opened.pack_name, opened.files) == ("orin", BUNDLE, "small", str(world.files))
    assert opened.revision == campaign.checklist.revision
    campaign.close()
    again = open_campaign("c1", wall_ns=world.clock)
    assert again.state().item("sheet").state == "n/a"
    assert again.roster.person("anna").name == "Anna Alm"
    assert "moved or removed" in again.pack_edited()


def test_only_its_owner_reads_a_campaign(world: World) -> None:
    campaign = world.campaign()
    for folder in (campaign.folder, campaign.folder.parent, campaign.folder / "attachments"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    for file in campaign.folder.rglob("*"):
        assert file.is_dir() or stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_campaign_is_found_by_name_and_by_its_robot(world: World) -> None:
    world.campaign(name="first").close()
    for name in ("first", "orin"):
        assert open_campaign(name).name == "first"
    assert campaign_of_robot("orin") == "first"
    assert campaign_of_robot("hopper") is None
    world.campaign(name="second").close()
    assert open_campaign("second").name == "second"
    refused("which_campaign", open_campaign, "orin")
    refused("which_campaign", campaign_of_robot, "orin")
    assert "'first'" in refused("unknown_campaign", open_campaign, "frist").cure
    assert [(one.name, one.robot, one.entries, one.trouble) for one in all_campaigns()] == [
        ("first", "orin", 1, ""),
        ("second", "orin", 1, ""),
    ]


@pytest.mark.parametrize("name", ["../out", "", ".hidden", "a/b", "x" * 64, "sp ace"])
def test_a_name_that_could_leave_the_folder_is_refused(world: World, name: str) -> None:
    with pytest.raises(Trouble):
        open_campaign(name)
    if name:
        refused("bad_campaign", world.campaign, name=name)


def test_a_taken_name_is_refused_and_leaves_the_campaign_as_it_is(world: World) -> None:
    head = world.campaign(name="first").record.head()
    refused("campaign_exists", world.campaign, name="first")
    assert open_campaign("first").record.head() == head


def test_what_can_not_be_is_refused_before_anything_is_made(world: World) -> None:
    refused("unknown_robot", world.campaign, robot="orinn")
    refused("bad_pack", world.campaign, pack="graspin")
    world.roster.write_text("format: 1\npeople: [{principal: x}]\n")
    refused("bad_roster", world.campaign)
    assert all_campaigns() == ()


def test_what_a_kill_left_before_the_first_entry_is_told_and_made_anew(world: World) -> None:
    Record.create(campaigns_dir() / "half").close()
    (campaigns_dir() / "bare").mkdir()
    assert [("interrupted" in one.trouble) for one in all_campaigns()] == [True, True]
    for name in ("half", "bare"):
        assert "campaign new" in refused("campaign_unfinished", open_campaign, name).cure
        assert world.campaign(name=name).state().entries == 1


def test_a_folder_with_somebody_elses_files_is_never_replaced(world: World) -> None:
    folder = campaigns_dir() / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("words")
    refused("campaign_exists", world.campaign, name="mine")
    assert (folder / "thesis.txt").read_text() == "words"


def test_a_damaged_campaign_is_listed_with_the_reason(world: World) -> None:
    folder = world.campaign(name="bad").folder
    (folder / "record.db").write_bytes(b"no database at all" * 100)
    for suffix in ("-wal", "-shm"):
        (folder / f"record.db{suffix}").unlink(missing_ok=True)
    assert "damaged" in all_campaigns()[0].trouble


def test_two_processes_on_one_campaign_see_each_other(world: World) -> None:
    one = world.campaign(name="both")
    other = open_campaign("both", wall_ns=world.clock)
    one.confirm("fence", True, "anna")
    assert other.state().item("fence").state == "pass"
    other.revise("another bundle was trained", "bo", bundle="91bc" * 16)
    assert one.state().bundle == "91bc" * 16
    assert one.bundle == "91bc" * 16


# ------------------------------------------------------------ kills

CHILD = """
import sys
from pathlib import Path
from console.campaigns.opening import open_campaign
from console.looking import OfflineSight
campaign = open_campaign("killed")
print("ready", flush=True)
while True:
    campaign.check(OfflineSight(campaign.files, campaign.bundle), "anna")
    campaign.confirm("fence", True, "anna")
"""


def test_a_kill_in_the_middle_of_a_check_invents_no_tick_and_loses_none(world: World) -> None:
    """Each kill falls at another moment; whatever was acknowledged is there, and nothing else counts as passed."""
    world.results(20, 20)
    world.campaign(name="killed", wall_ns=__import__("time").time_ns).close()
    for round in range(6):
        before = open_campaign("killed").record.head()
        child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, env=os.environ)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        campaign = open_campaign("killed")
        wanted = before.seq + 1 + 5 * round
        wait_until(lambda c=campaign, w=wanted: c.record.head().seq > w, 30, "entries of the child")  # type: ignore[misc]
        seen = campaign.record.rows()
        child.send_signal(signal.SIGKILL)
        child.wait(10)
        rows = campaign.record.rows()
        assert rows[: len(seen)] == seen
        states = {item.item.id: item.state for item in campaign.state().items()}
        assert states["results"] in ("pass", "pending")
        assert states["clock"] in ("unavailable", "pending")
        assert not [id for id, state in states.items() if state == "running"]
        assert [id for id, state in states.items() if state == "pass" and id not in ("results", "fence")] == []
        campaign.close()


NEW = """
from console.campaigns.opening import new_campaign
print("ready", flush=True)
new_campaign("orin", "3f2a" * 16, "tabletop", {pack!r}, name={name!r}, person="anna")
"""


def test_a_kill_while_a_campaign_is_made_leaves_one_that_can_be_made(world: World) -> None:
    for number in range(8):
        code = NEW.format(pack=str(world.pack), name=f"k{number}")
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=os.environ)
        assert child.stdout is not None
        child.stdout.readline()
        folder = campaigns_dir() / f"k{number}"
        if number % 2:
            wait_until(lambda f=folder, c=child: f.exists() or c.poll() is not None, 10, "the folder")  # type: ignore[misc]
        child.kill()
        child.wait(10)
        told = {one.name: one for one in all_campaigns()}.get(f"k{number}")
        if told is None or told.trouble:
            assert told is None or "interrupted" in told.trouble
            assert world.campaign(name=f"k{number}").state().entries == 1
        else:
            assert open_campaign(f"k{number}").state().entries == 1
