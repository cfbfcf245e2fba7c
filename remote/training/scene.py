"""Renders table-top scenes with exact labels: the demo's camera, and what the embedded detector learns from.

Same seed, same pixels. Every pixel of an object is found by casting its ray (solids.py), so labels come from the same
numbers as the picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from remote.training import layout
from remote.training.backdrop import backdrop
from remote.training.layout import Stage, Thing
from remote.training.light import LIGHT_ONE, table_light
from remote.training.orbit import Orbit
from remote.training.randomisation import Randomisation
from remote.training.sensor import Sensor
from remote.training.shading import shade
from remote.training.solids import KINDS
from remote.training.surface import Levels
from remote.training.viewpoint import Viewpoint
from remote.training.visibility import LabelledBox, cast, label_ids, visible

LABELS: tuple[str, ...] = KINDS
_RELAY_S = 12.0


@dataclass(frozen=True, slots=True)
class RenderedScene:
    """One picture with its labels.

    Attributes:
        image: uint8 [height, width, 3], BGR.
        boxes: one for each labelled object, in the order of their ids.
        ids: uint8 [height, width]; 0 is table and floor, k + 1 is `boxes[k]`, and 255 an object too hidden to label (only
            in videos: see SceneRenderer).
    """

    image: Levels
    boxes: tuple[LabelledBox, ...]
    ids: Levels


class SceneRenderer:
    """Renders scenes drawn from a randomisation file.

    An object is labelled if at least LEAST_VISIBLE_SHARE of it and LEAST_VISIBLE_PX pixels are visible. In stills an
    object that falls short is taken off the table before the picture is made, so a detector that finds every object is
    never wrong. In videos it stays, without a label, and its pixels have the id UNLABELLED_ID.

    Args:
        randomisation: the ranges.
        width, height: of the pictures in pixels.
    """

    def __init__(self, randomisation: Randomisation, *, width: int = 640, height: int = 480) -> None:
        self._randomisation = randomisation
        self._size = (width, height)
        self._sensor = Sensor(width, height)

    def render(self, seed: int) -> RenderedScene:
        """One still: its own table, lamp, camera, objects and noise. Needs `seed` >= 0."""
        rng = np.random.default_rng([1, seed])
        stage = layout.draw_stage(rng, self._randomisation)
        view = layout.draw_view(rng, self._randomisation, self._size)
        things = layout.lay_things(rng, self._randomisation, layout.spots_in_view(rng, view))
        settings = layout.draw_sensor(rng, self._randomisation)
        image, boxes, ids = _compose(stage, things, view, keep_hidden=False)
        return RenderedScene(self._sensor.expose(image, settings, rng), boxes, ids)

    def episode(self, seed: int, *, frame_rate_hz: float = 15.0) -> Iterator[RenderedScene]:
        """An endless video: the camera orbits a table, every 12 s the objects are laid anew; needs `seed` >= 0.

        Frames differ by motion and by fresh sensor noise. `frame_rate_hz` is the rate at which they will be shown; the
        caller keeps time.
        """
        rng = np.random.default_rng([2, seed])
        stage = layout.draw_stage(rng, self._randomisation)
        settings = layout.draw_sensor(rng, self._randomisation)
        path = Orbit(rng, self._randomisation, self._size)
        frames_a_lay = max(1, round(_RELAY_S * frame_rate_hz))
        things: tuple[Thing, ...] = ()
        frame = 0
        while True:
            if frame % frames_a_lay == 0:
                spots = layout.spots_in_disc(rng, 0.25)
                things = layout.lay_things(rng, self._randomisation, spots, extra_gap_m=0.02)
            image, boxes, ids = _compose(stage, things, path.at(frame / frame_rate_hz), keep_hidden=True)
            yield RenderedScene(self._sensor.expose(image, settings, rng), boxes, ids)
            frame += 1


def _compose(
    stage: Stage, things: Sequence[Thing], view: Viewpoint, *, keep_hidden: bool
) -> tuple[Levels, tuple[LabelledBox, ...], Levels]:
    """Picture before the sensor, boxes and ids."""
    patches = [patch for thing in things if (patch := cast(thing, view)) is not None]
    order, boxes = visible(patches, view)
    while not keep_hidden and not all(box is not None for box in boxes):
        patches = [patch for patch, box in zip(patches, boxes, strict=True) if box is not None]
        order, boxes = visible(patches, view)
    standing = [patch.thing.solid for patch in patches] if not keep_hidden else [thing.solid for thing in things]
    image = backdrop(stage, view)
    cv2.multiply(image, table_light(stage.lamp, standing, view), dst=image, scale=1 / LIGHT_ONE)
    for index, patch in enumerate(patches):
        shade(image, order, index + 1, patch, stage.lamp, standing, view)
    return image, tuple(box for box in boxes if box is not None), label_ids(order, boxes)
