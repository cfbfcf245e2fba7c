"""Where bundles are written: which folders are refused beforehand, and what is said where the disk does not take them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from remote.errors import Trouble


@contextmanager
def writing(output: Path) -> Iterator[None]:
    """What fails within for the disk's sake is a Trouble `unwritable` that names the place: full, read-only, not allowed."""
    try:
        yield
    except OSError as error:
        if not _about(error, output):
            raise
        what = f"nothing can be written to {output}: {error.strerror or error}"
        raise Trouble(what, cure="Give a folder that can be written, on a disk with room", code="unwritable") from error


def refuse_output(output: Path, *sources: Path) -> None:
    """Raise Trouble for an output that would put something in the way, before anything is computed.

    `usage` for the folder that one is in (an empty --output too) and for one that is, holds or lies in a source;
    `bundle_exists` for a file.
    """
    place = output.resolve()
    if place == Path.cwd():
        cure = "Give the name of a new folder"
        raise Trouble("--output is the folder that you are in", cure=cure, code="usage")
    if output.exists() and not output.is_dir():
        raise Trouble(f"{output} is a file", cure="Give the name of a new folder", code="bundle_exists")
    for source in sources:
        given = source.resolve()
        if place == given or place in given.parents or (given in place.parents and given.is_dir()):
            what = f"--output {output} is, holds or lies in what is read: {source}"
            raise Trouble(what, cure="Give a folder of its own", code="usage")


def _about(error: OSError, output: Path) -> bool:
    """Whether it names a place at, about or above `output`, or none: what can't be read elsewhere is another trouble."""
    place = output.absolute()
    named = [Path(name).absolute() for name in (error.filename, error.filename2) if isinstance(name, str)]
    return not named or any(one in place.parents or place.parent in one.parents for one in named)
