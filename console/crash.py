"""A mistake in fieldgate itself, in two lines for who works with it, and whole in a file for who mends it."""

from __future__ import annotations

import sys
import time
import traceback
from pathlib import Path

from remote.errors import Trouble


def crashed(error: BaseException, *, debug: bool | None = None, folder: Path | None = None) -> Trouble:
    """What to say of an exception that nothing expected; with `--debug` its traceback is written into `folder`.

    `debug`: None looks whether the program was started with `--debug`. `folder`: None takes the data folder.
    """
    if isinstance(error, Trouble):
        return error
    where = _where(error)
    # The first line only: the rest of a message can be as long as a page.
    said = (str(error).strip().splitlines() or [""])[0]
    what = f"a mistake in fieldgate ended it: {type(error).__name__}{f': {said}' if said else ''}{where}"
    if not (sys.argv[1:2] == ["--debug"] if debug is None else debug):
        return Trouble(
            what,
            cure="run `fieldgate --debug ...` the same way, and send the traceback that it shows or the file that it names",
            code="crashed",
        )
    return Trouble(what, cure=_written(error, folder), code="crashed")


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def _written(error: BaseException, folder: Path | None) -> str:
    from console.places import data_dir

    path = (folder or data_dir()) / time.strftime("crash-%Y%m%d-%H%M%S.txt")
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    except OSError as failed:
        return f"its traceback can't be written to {path}: {failed.strerror}"
    return f"its traceback is in {path}"
