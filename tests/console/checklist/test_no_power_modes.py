"""A computer without power modes: one confirmation is enough for a job, and it never covers a mode that is wrong."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from console import exits
from console.campaigns.campaign import Campaign
from console.commands.check import run
from remote.errors import Trouble
from tests.console.checklist.campaign_world import NOW_NS, World
from tests.console.checklist.given_robot import GivenRobot, host, shot

PACKS = Path(__file__).parents[3] / "checklists"
HEAD = """\
format: 1
name: power
title: Power
version: "1"
roles: {engineer: builds it}
stages:
  - id: bench
    title: On the bench
    items:
      - {id: clock, title: The clocks agree, kind: sensed, probe: {name: clock},
         criterion: {metric: clock_offset_s, comparison: "<", threshold: 2, unit: s}}
"""


def power_of(pack: str) -> str:
    """The two items about power modes as the shipped pack writes them."""
    text = (PACKS / pack / "checklist.yaml").read_text(encoding="utf-8")
    begin = text.index("      - id: power_mode")
    end = text.index("      - id: ", text.index("      - id: no_power_modes") + 1)
    return text[begin:end]


def robot(world: World, mode: str) -> GivenRobot:
    """One whose computer says this power mode; empty: none."""
    world.facts = msgspec.structs.replace(world.facts, power_mode=mode)
    given = world.robot()
    sample = host(given.now_ns, text={"power_mode": mode} if mode else {})
    linked = msgspec.structs.replace(given.session.snapshot.link, robot_wall_offset_ms=10.0)
    given.session.show(shot(hosts=(sample,), link=linked))
    return given


@pytest.fixture(params=["grasping", "perception"])
def campaign(request: pytest.FixtureRequest, world: World) -> Campaign:
    world.pack.write_text(HEAD + power_of(request.param))
    return world.campaign()


def checked(campaign: Campaign, given: GivenRobot) -> tuple[int, str, str]:
    """The exit code of `check` and how both items stand then."""
    code = run(campaign, given.sight, "anna").exit
    return code, campaign.item_state("power_mode").state, campaign.item_state("no_power_modes").state


def test_one_confirmation_and_a_job_ends_well_from_then_on(world: World, campaign: Campaign) -> None:
    """Else a robot whose computer is a PC fails every job of every night, and nobody looks any more."""
    assert checked(campaign, robot(world, "")) == (exits.NO_DATA, "unavailable", "pending")
    campaign.confirm("no_power_modes", True, "anna")
    assert checked(campaign, robot(world, "")) == (exits.OK, "n/a", "pass")
    world.now_ns = NOW_NS + 31 * 86_400 * 10**9  # the confirmation counts for 30 d
    assert checked(campaign, robot(world, ""))[0] == exits.NO_DATA


def test_a_wrong_mode_can_t_be_confirmed_away(world: World, campaign: Campaign) -> None:
    assert checked(campaign, robot(world, "15W")) == (exits.ALARM, "fail", "n/a")
    with pytest.raises(Trouble):
        campaign.confirm("no_power_modes", True, "anna")
    assert checked(campaign, robot(world, "15W"))[0] == exits.ALARM


def test_a_mode_that_shows_itself_later_takes_the_confirmation_away(world: World, campaign: Campaign) -> None:
    """A Jetson whose mode could not be read for a minute must not stay excused for a month."""
    checked(campaign, robot(world, ""))
    campaign.confirm("no_power_modes", True, "anna")
    late = robot(world, "15W")
    campaign.observe(late.sight)
    assert campaign.item_state("power_mode").state == "unavailable"
    assert checked(campaign, late) == (exits.ALARM, "fail", "n/a")
    assert checked(campaign, robot(world, "MAXN")) == (exits.OK, "pass", "n/a")
