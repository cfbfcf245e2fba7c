"""The probe `file_present`: a file is there, on the laptop or on the robot, whole, long enough, new enough, the right one."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec

from console.checklist.probes import Finding, Sight
from console.fieldtest.criteria import Answer
from console.fieldtest.parts import Span
from console.fieldtest.spans import span_s
from console.tables.held import KEEP_LIMIT_BYTES, digest_of_file, find
from remote.errors import Trouble

ASK_S = 10.0
HASH_S = 120.0
"""How long the robot may take to answer, and to read a file for its digest."""
AHEAD_S = 60.0
"""A file's time may lie that far ahead of the clock: file systems round, clocks of shares differ."""
_STAT = re.compile(r"(\d+) (-?\d+) (.+)")
_SHA256 = "SHA-256: 64 digits of 0-9 and a-f, as sha256sum prints them"
_DIGEST = re.compile(rb"\\?([0-9a-f]{64})[ \n]")


class FileParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`path` is relative to the campaign's folder on the laptop, or absolute; on the robot it must be absolute.

    `sha256` (hex), `min_bytes` and `max_age` (since its last change) are what is asked of it. `keep` puts it into the record.
    """

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    where: Literal["laptop", "robot"] = "laptop"
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$", description=_SHA256)] | None = None
    min_bytes: Annotated[int, msgspec.Meta(ge=0)] = 1
    max_age: Span | None = None
    keep: bool = False

    def __post_init__(self) -> None:
        if "\0" in self.path:
            raise ValueError("a path holds no NUL")
        if self.where == "robot" and not self.path.startswith("/"):
            raise ValueError("a path on the robot must be absolute")
        if self.where == "robot" and self.keep:
            raise ValueError("only a file on the laptop can be kept")


class Stat(NamedTuple):
    """What is known of a file beside its bytes: its length, and the seconds since its last change."""

    size: int
    age_s: float


def look_at_file(sight: Sight, parameters: FileParameters) -> Finding:
    """An Answer: holds where the file is there and is all that is asked of it. Raises Trouble where it can't be read."""
    return _on_robot(sight, parameters) if parameters.where == "robot" else _on_laptop(sight, parameters)


def _on_laptop(sight: Sight, wanted: FileParameters) -> Finding:
    path = find(sight.files, wanted.path)
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe would keep its reader waiting
            return _no(f"{wanted.path} is no regular file")
        digest = digest_of_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return _no(f"{wanted.path} is not there")
    except OSError as error:
        what = f"{path} can't be read: {error.strerror}"
        raise Trouble(what, cure="check its permissions and the disk", code="bad_file") from error
    known = Stat(found.st_size, sight.wall_ns() / 1e9 - found.st_mtime)
    return _judged(known, digest, wanted, f"file:{wanted.path}", keep=path if wanted.keep else None)


def _on_robot(sight: Sight, wanted: FileParameters) -> Finding:
    asked = sight.run(("env", "LC_ALL=C", "stat", "-L", "-c", "%s %Y %F", "--", wanted.path), ASK_S)
    if asked.exit != 0 and b"No such file" in asked.err:
        return _no(f"{wanted.path} is not there")
    told = _STAT.match(asked.output(f"the robot can't look at {wanted.path}", _ROBOT_CURE))
    if told is None:
        raise Trouble("the robot's stat says nothing that can be read", cure=_ROBOT_CURE, code="bad_file")
    size, changed_s, kind = told.groups()
    if not kind.startswith("regular"):
        return _no(f"{wanted.path} is no regular file")
    age_s = _robot_now_s(sight) - int(changed_s) if wanted.max_age else 0.0
    hashed = sight.run(("sha256sum", "--", wanted.path), HASH_S)
    hashed.output(f"the robot can't read {wanted.path}", _ROBOT_CURE)
    digest = _DIGEST.match(hashed.out)
    if digest is None:
        raise Trouble("the robot's sha256sum gave no digest", cure=_ROBOT_CURE, code="bad_file")
    name = f"robot_file:{wanted.path}"
    return _judged(Stat(int(size), age_s), digest.group(1).decode(), wanted, name, keep=None)


_ROBOT_CURE = "check on the robot that the agent's user may read it and that `stat` and `sha256sum` are there"


def _robot_now_s(sight: Sight) -> float:
    """The robot's own clock, to which the times of its files belong."""
    return float(sight.run(("date", "+%s"), ASK_S).output("the robot can't tell its time", _ROBOT_CURE))


def _judged(known: Stat, digest: str, wanted: FileParameters, fingerprint: str, *, keep: Path | None) -> Finding:
    wrong = _wrong(known, digest, wanted)
    words = f"{wanted.path}: {known.size} bytes, SHA-256 {digest[:8]}"
    kept = (keep,) if keep is not None and known.size <= KEEP_LIMIT_BYTES else ()
    return Finding(
        measurement=Answer(not wrong, f"{wanted.path} {wrong}" if wrong else words),
        fingerprints={fingerprint: digest},
        details={"bytes": known.size, "sha256": digest},
        files=kept,
    )


def _wrong(known: Stat, digest: str, wanted: FileParameters) -> str:
    """What is not as it should be, or nothing."""
    if known.size < wanted.min_bytes:
        return f"has {known.size} bytes, fewer than {wanted.min_bytes}"
    if wanted.sha256 is not None and digest != wanted.sha256:
        return f"has SHA-256 {digest[:8]}, not {wanted.sha256[:8]}"
    if wanted.max_age is None:
        return ""
    if known.age_s < -AHEAD_S:
        return f"was changed {-known.age_s:.0f} s in the future: a clock is wrong"
    if known.age_s > span_s(wanted.max_age):
        return f"was changed {known.age_s / 3600:.1f} h ago, more than {wanted.max_age}"
    return ""


def _no(words: str) -> Finding:
    return Finding(measurement=Answer(False, words))
