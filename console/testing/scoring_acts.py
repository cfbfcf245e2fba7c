"""Scoring frames on the screen: drawn at random instants, shown with their boxes, written when the person says so."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from console.fieldwork.scoring import Draws, FrameToScore, instants
from console.phases.states import SessionState
from console.testing.wording import by_key
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
        try:
            return desk.test().draw(sight, instant)
        except Trouble as trouble:
            raise said_here(trouble) from trouble

    def write(frame: FrameToScore, said: Scored) -> None:
        desk.test().score(frame, said.right, said.wrong, said.missed, said.boxes, desk.person)
        desk.home.fold()

    scored = await desk.ask(ScoreScreen(draw, write, desk.app.charset, WITHIN_S))
    if scored:
        desk.say(
            f"{desk.app.charset.glyph('ok')} {scored} frame{'s' * (scored != 1)} scored and written; u undoes the newest",
            "ok",
        )


def said_here(trouble: Trouble) -> Trouble:
    """The same in the words of this dialog: inference that does not run is no fault of the frame."""
    if trouble.code == "not_running":
        cure = "1 shows the robot; s starts its worker; then score again (k)"
        return Trouble("inference does not run any more, so there is no frame to score", cure=cure, code=trouble.code)
    return by_key(trouble)
