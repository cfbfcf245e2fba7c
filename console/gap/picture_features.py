"""Pictures as numbers: light, colour, texture, sharpness and coarse layout; and whether a picture shows anything at all.

The features are made of pixels by fixed formulas, no network is asked: they see what sim-to-real gaps of cameras consist of
(exposure, white balance, noise, blur, clutter), not what the things are. Features of a network of your own can be given
instead.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from remote.errors import Trouble

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

NAME = "light, colour, texture and layout of pixels (64 numbers)"
SIDE_PX = 128
BLACK_MEAN = 8.0
FLAT_SPREAD = 3.0
"""A picture whose grey levels scatter less than this shows nothing; one whose mean lies below BLACK_MEAN is black."""
SUFFIXES = (".jpg", ".jpeg", ".png")
MOST_PICTURES = 5000
_LARGEST_PX = 64_000_000
_FEATURES = 64
_LARGEST_FEATURE = 1e100
"""Beyond this their squares are no numbers any more."""


class PictureSet(NamedTuple):
    """The living pictures of a folder. `left_out` maps a reason (black, flat, the same again, unreadable) to how many are
    not in it.
    """

    name: str
    features: Floats
    left_out: dict[str, int]

    @property
    def dead_share(self) -> float:
        """Share of the folder's pictures that show nothing."""
        out = sum(self.left_out.values())
        return out / (out + len(self.features)) if out else 0.0


def picture_set(folder: Path) -> PictureSet:
    """Every picture of a folder (jpg, jpeg, png). Raises Trouble (`no_pictures`) where there are none, or too many."""
    import numpy as np

    try:
        paths = sorted(
            one for one in folder.iterdir() if one.suffix.lower() in SUFFIXES and not one.name.startswith(".")
        )
    except OSError as error:
        raise Trouble(
            f"{folder} can't be read: {error.strerror}", cure="give a folder of pictures", code="no_pictures"
        ) from error
    if not 0 < len(paths) <= MOST_PICTURES:
        what = f"{folder} holds {len(paths)} pictures ({', '.join(SUFFIXES)}); 1 to {MOST_PICTURES} are compared"
        raise Trouble(
            what, cure="give a folder of pictures, drawn at random where there are too many", code="no_pictures"
        )
    seen: set[str] = set()
    left_out: dict[str, int] = {}
    rows = []
    for path in paths:
        found, reason = _features_of(path, seen)
        if found is None:
            left_out[reason] = left_out.get(reason, 0) + 1
        else:
            rows.append(found)
    return PictureSet(folder.name or str(folder), np.array(rows).reshape(len(rows), _FEATURES), left_out)


def given_features(path: Path) -> PictureSet:
    """Features that a network of your own made: a .npy file, [pictures, numbers]. Raises Trouble (`bad_features`)."""
    import numpy as np

    cure = "write them with numpy.save, one row for each picture"
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise Trouble(f"{path} can't be read: {error}", cure=cure, code="bad_features") from error
    if not isinstance(found, np.ndarray):
        raise Trouble(f"{path} holds several arrays", cure=cure, code="bad_features")
    if found.ndim != 2 or found.dtype.kind not in "fiu" or not (np.abs(found) < _LARGEST_FEATURE).all():
        what = f"{path} holds {found.dtype} of shape {list(found.shape)}, not finite numbers [pictures, numbers]"
        raise Trouble(what, cure=cure, code="bad_features")
    return PictureSet(path.name, found.astype(float), {})


def _features_of(path: Path, seen: set[str]) -> tuple[Floats | None, str]:
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > _LARGEST_PX:
                return None, "too large"
            opened.draft("RGB", (SIDE_PX, SIDE_PX))
            image = opened.convert("RGB").resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None, "unreadable"
    pixels = np.asarray(image, float)
    if (dead := dead_reason(pixels)) != "":
        return None, dead
    digest = hashlib.sha256(pixels.tobytes()).hexdigest()
    if digest in seen:
        return None, "the same picture again"
    seen.add(digest)
    return features_of(pixels), ""


def dead_reason(pixels: Floats) -> str:
    """Why a picture (RGB, 0..255) shows nothing: `black` or `flat`; empty where it shows something."""
    grey = pixels.mean(axis=2)
    if grey.mean() < BLACK_MEAN:
        return "black"
    return "flat" if grey.std() < FLAT_SPREAD else ""


def features_of(pixels: Floats) -> Floats:
    """The 64 features of a picture, RGB [SIDE_PX, SIDE_PX, 3] in 0..255: 16 of layout, 24 of colour, 8 of direction, 16 of
    texture.
    """
    import numpy as np

    grey = pixels.mean(axis=2)
    block = SIDE_PX // 4
    layout = grey.reshape(4, block, 4, block).mean(axis=(1, 3)).ravel() / 255
    colour = np.concatenate([np.histogram(pixels[..., k], bins=8, range=(0, 256))[0] for k in range(3)]) / grey.size
    dy, dx = np.gradient(grey)
    strength = np.hypot(dx, dy)
    turns = np.histogram(np.arctan2(dy, dx) % np.pi, bins=8, range=(0, np.pi), weights=strength)[0]
    direction = turns / (strength.sum() + 1e-9)
    return np.concatenate([layout, np.sqrt(colour), direction, _texture(grey)])


def _texture(grey: Floats) -> Floats:
    """Spread of detail in 4 octaves, and of its neighbourhoods: noise and blur change the finest ones first."""
    import numpy as np

    found: list[float] = []
    for _ in range(4):
        detail = grey[1:-1, 1:-1] - (grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]) / 4
        size = np.abs(detail)
        found += [
            float(np.log1p(value)) / 5 for value in (detail.std(), np.median(size), np.quantile(size, 0.95), grey.std())
        ]
        grey = (grey[::2, ::2] + grey[1::2, ::2] + grey[::2, 1::2] + grey[1::2, 1::2]) / 4
    return np.array(found)
