"""Scoring frames on the screen: drawn at random instants, shown with their boxes, written when the person says so."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from console.fieldwork.field_ground import RESTING_ON
from console.fieldwork.scoring import Draws, FrameToScore, fetch_frame, instants
from console.phases.states import SessionState
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.screens.score_frame import Scored
    from console.testing.desk import FieldDesk

WITHIN_S = 5.0
"""A frame is drawn at a random instant of so many seconds: the person does not choose it, and does not wait long."""


async def score_frames(desk: FieldDesk, session: SessionState) -> None:
    """Draw and score frames of the open session until the person leaves."""
    from console.screens.score_frame import ScoreScreen

    draws: list[Draws] = []

    def draw() -> FrameToScore:
        sight = desk.sight()
        if not draws:
            draws.append(Draws(random.SystemRandom(), WITHIN_S, sight.mono_ns()))
        instant = next(iter(instants(draws[0], sight, 1)))
        open_now = desk.field.session
        if open_now is None or open_now.seq != session.seq:
            raise Trouble("the session is over", cure="begin one (x), then score", code="no_session")
        return fetch_frame(
            sight,
            instant,
            session=session.seq,
            phase=session.phase,
            conditions=open_now.conditions,
            fingerprints=_resting_on(desk),
        )

    def write(frame: FrameToScore, said: Scored) -> None:
        desk.test().score(frame, said.right, said.wrong, said.missed, said.boxes, desk.person)
        desk.home.fold()

    scored = await desk.ask(ScoreScreen(draw, write, desk.app.charset, WITHIN_S))
    if scored:
        desk.say(
            f"{desk.app.charset.glyph('ok')} {scored} frame{'s' * (scored != 1)} scored and written; u undoes the newest",
            "ok",
        )


def _resting_on(desk: FieldDesk) -> dict[str, str]:
    newest = desk.home.newest
    known = {**(newest.fingerprints if newest is not None else {}), "bundle": desk.campaign.bundle}
    return {name: known.get(name, "") for name in RESTING_ON}
