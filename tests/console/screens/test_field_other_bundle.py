"""A session whose robot runs another model than the campaign is about: said at once, not only when a trial is refused."""

from __future__ import annotations

import pytest

from tests.console.fieldwork.field_world import FieldRobot, FieldWorld
from tests.console.screens.test_field_campaign import on, world

__all__ = ["world"]

OTHER = "91bc" * 16
SIZES = [(80, 24), (100, 30), (160, 45)]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_session_that_takes_no_trial_does_not_say_that_all_is_well(
    world: FieldWorld, size: tuple[int, int]
) -> None:
    """Else a person goes on trying in front of the robot, and learns minutes later that the model was another one."""
    robot = FieldRobot(world)
    async with on(world.unlinked(), robot.sight, size) as driven:
        await driven.look()
        await driven.said("R U N N I N G")
        assert "NOT MET" not in driven.text
        robot.bundle = OTHER
        robot.second()
        await driven.look()
        await driven.said("O T H E R M O D E L", "the robot runs 91bc91bc", "NOT MET: the robot runs 91bc91bc, the")
        await driven.said("x ends the session, 5 brings its bundle into use")
        assert "R U N N I N G" not in driven.text
        assert driven.app.session_seen() == (
            "session: other model - the robot runs 91bc91bc",
            "critical",
        )
        await driven.press("p")
        await driven.said("P A U S E D", "5 brings the campaign's bundle into use")
        assert "all holds again" not in driven.text
        assert "p resumes" not in driven.text.replace("p resumes it", "")


async def test_before_a_session_it_is_said_what_would_refuse_it(world: FieldWorld) -> None:
    field = world.field()
    field.begin_phase("bench_trials", "anna")
    async with on(field, FieldRobot(world, bundle=OTHER).sight) as driven:
        await driven.look()
        await driven.said("N O S E S S I O N", "the robot runs 91bc91bc", "5 brings the campaign's bundle into use")


async def test_what_the_robot_runs_is_not_guessed_where_it_is_not_heard(world: FieldWorld) -> None:
    robot = FieldRobot(world, bundle=OTHER)
    async with on(world.unlinked(), robot.sight) as driven:
        await driven.look()
        await driven.said("O T H E R M O D E L")
        robot.cut()
        await driven.look()
        await driven.said("R U N N I N G")
