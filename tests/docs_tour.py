"""Running a page of docs/ as a reader would: its shell blocks in order in one shell, and what it promises of them."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
_MARK = "@@block"


class Block(NamedTuple):
    """A block of commands below a heading, and the lines that the page promises of it."""

    heading: str
    commands: str
    promised: tuple[str, ...]


def blocks_of(page: Path) -> list[Block]:
    """The shell blocks of a page in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        headings = re.findall(r"^#+ (.*)$", text[: match.start()], re.MULTILINE)
        found.append(Block(headings[-1], match[1], tuple((match[2] or "").splitlines())))
    return found


def said_by(blocks: list[Block], limit_s: float, **environment: str) -> list[str]:
    """What each block said on both streams, run in the repository by one bash without a terminal."""
    script = "".join(f"echo '{_MARK}'\n{block.commands}" for block in blocks)
    clean = {name: value for name, value in os.environ.items() if name not in ("SSH_AUTH_SOCK", "FIELDGATE_PERSON")}
    programs = str(Path(sys.executable).parent)
    clean |= {"PATH": f"{programs}:{clean['PATH']}", "PYTHONIOENCODING": "utf-8", **environment}
    done = subprocess.run(
        ["bash", "-c", script], stdin=subprocess.DEVNULL, cwd=ROOT, env=clean, timeout=limit_s, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
    )  # fmt: skip
    return done.stdout.split(f"{_MARK}\n")[1:]


def missing(block: Block, said: str) -> list[str]:
    """The promised lines that did not come, in this order; `...` stands for anything, and white space for any white space."""
    lines = [" ".join(line.split()) for line in said.splitlines()]
    gone, at = [], 0
    for line in block.promised:
        parts = [re.escape(" ".join(part.split())) for part in line.split("...")]
        wanted = re.compile(" ?.* ?".join(parts))
        hit = next((number for number in range(at, len(lines)) if wanted.fullmatch(lines[number])), None)
        if hit is None:
            gone.append(line)
        else:
            at = hit + 1
    return gone


def walk(blocks: list[Block], desk: Path, limit_s: float) -> None:
    """Run the blocks; AssertionError with what a block said where it did not say what the page promises."""
    outputs = said_by(blocks, limit_s, TMPDIR=str(desk))
    kept = zip(blocks, outputs, strict=True)
    broken = [f"{block.commands}\nsaid:\n{said}\nnot: {gone}" for block, said in kept if (gone := missing(block, said))]
    assert not broken, "\n\n".join(broken)
    assert not list(desk.glob("tmp.*")), "the tour leaves something behind"


def words_of(picture: Path) -> str:
    """What stands in a picture of the screen."""
    texts = re.findall(r">([^<>]+)</text>", picture.read_text(encoding="utf-8"))
    return html.unescape(" ".join(texts)).replace("\xa0", " ")
