"""Write rendered scenes as pictures with label files, so that any detector can be scored on them.

`python -m remote.training.write_scenes --output DIR --count 500 --seed 900000` writes `DIR/images/NAME.png`,
`DIR/labels/NAME.txt` (a line `class cx cy w h` for each object, relative to the picture) and `DIR/names.yaml`.
"""

from __future__ import annotations

from pathlib import Path

import click

from remote.errors import Trouble
from remote.training.randomisation import DEFAULT_FILE, load_randomisation


def label_lines(boxes: list[tuple[int, int, int, int, int, float]], width: int, height: int) -> str:
    """Boxes (label, x1, y1, x2, y2, share) in pixels -> the label file's text, relative to the picture."""
    rows = [
        f"{label} {(x1 + x2) / 2 / width:.6f} {(y1 + y2) / 2 / height:.6f} {(x2 - x1) / width:.6f} {(y2 - y1) / height:.6f}"
        for label, x1, y1, x2, y2, _share in boxes
    ]
    return "".join(f"{row}\n" for row in rows)


def write_scenes(output: Path, *, count: int, seed: int, randomisation_file: Path = DEFAULT_FILE) -> None:
    """Write scenes `seed` to `seed + count - 1`.

    Raises:
        Trouble: code `scenes_unwritable` where a file cannot be written, or what `load_randomisation` raises.
    """
    import cv2

    from remote.training.scene import LABELS, SceneRenderer

    renderer = SceneRenderer(load_randomisation(randomisation_file))
    try:
        for folder in ("images", "labels"):
            (output / folder).mkdir(parents=True, exist_ok=True)
        names = "".join(f"  {index}: {name}\n" for index, name in enumerate(LABELS))
        (output / "names.yaml").write_text(f"names:\n{names}", encoding="utf-8")
        for number in range(seed, seed + count):
            scene = renderer.render(number)
            height, width = scene.ids.shape
            name = f"{number:08d}"
            (output / "images" / f"{name}.png").write_bytes(cv2.imencode(".png", scene.image)[1].tobytes())
            (output / "labels" / f"{name}.txt").write_text(label_lines(list(scene.boxes), width, height), "utf-8")
    except OSError as error:
        raise Trouble(
            f"scenes cannot be written to {output}: {error.strerror}",
            cure="Give a folder that can be written and a disk with room (about 0.5 MB a scene)",
            code="scenes_unwritable",
        ) from error


@click.command()
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write to.")
@click.option("--count", type=click.IntRange(min=1, max=1_000_000), default=500, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=900_000, show_default=True, help="Seed of the first scene.")
@click.option("--randomisation", type=click.Path(path_type=Path), default=DEFAULT_FILE, help="Randomisation file.")
def main(output: Path, count: int, seed: int, randomisation: Path) -> None:
    """Write rendered scenes and their labels."""
    try:
        write_scenes(output, count=count, seed=seed, randomisation_file=randomisation)
    except Trouble as trouble:
        raise click.ClickException(str(trouble)) from trouble
    click.echo(f"{count} scenes in {output}")


if __name__ == "__main__":
    main()
