"""Scenes written for scoring: a label that does not fit its picture would condemn a good detector."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from remote.errors import Trouble
from remote.training.randomisation import load_randomisation
from remote.training.scene import LABELS, SceneRenderer
from remote.training.write_scenes import main, write_scenes


def test_pictures_and_labels_are_those_of_the_renderer(tmp_path: Path) -> None:
    write_scenes(tmp_path, count=3, seed=11)
    renderer = SceneRenderer(load_randomisation())
    for seed in (11, 12, 13):
        scene = renderer.render(seed)
        picture = cv2.imread(str(tmp_path / "images" / f"{seed:08d}.png"))
        assert picture is not None
        assert np.array_equal(picture, scene.image)
        rows = np.loadtxt(tmp_path / "labels" / f"{seed:08d}.txt", ndmin=2)
        assert rows[:, 0].astype(int).tolist() == [box.label for box in scene.boxes]
        corners = np.hstack([rows[:, 1:3] - rows[:, 3:] / 2, rows[:, 1:3] + rows[:, 3:] / 2]) * [640, 480, 640, 480]
        assert np.allclose(corners, [box[1:5] for box in scene.boxes], atol=0.01)
    assert yaml.safe_load((tmp_path / "names.yaml").read_text("utf-8")) == {"names": dict(enumerate(LABELS))}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way", "utf-8")
    with pytest.raises(Trouble) as caught:
        write_scenes(blocked, count=1, seed=0)
    assert caught.value.code == "scenes_unwritable"
    assert str(blocked) in caught.value.what


def test_the_command_says_what_it_wrote_and_refuses_a_bad_file(tmp_path: Path) -> None:
    good = CliRunner().invoke(main, ["--output", str(tmp_path / "out"), "--count", "2", "--seed", "5"])
    assert good.exit_code == 0
    assert "2 scenes" in good.output
    assert len(list((tmp_path / "out" / "images").iterdir())) == 2
    (tmp_path / "bad.yaml").write_text("format: 1", "utf-8")
    bad = CliRunner().invoke(main, ["--output", str(tmp_path), "--randomisation", str(tmp_path / "bad.yaml")])
    assert bad.exit_code == 1
    assert "bad.yaml" in bad.output
    assert "Traceback" not in bad.output
