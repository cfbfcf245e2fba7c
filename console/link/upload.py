"""Copying a file to a robot so that it is there whole or not at all, going on where a cut left off."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from console.link.transport import Transport
from remote.errors import Trouble

Ticker = Callable[[str, int, int], None]
"""Called with a file's name, the bytes there so far, and the bytes in all."""

# The part's name holds the content's digest: a part of another content is never continued.
_LOOK = r"""
set -e
mkdir -p "$(dirname "$target")"
if [ -f "$target" ] && [ "$(sha256sum <"$target")" = "$sha256  -" ]; then echo whole
elif [ -f "$part" ]; then wc -c <"$part"
else echo 0; fi
"""
_FINISH = r"""
set -e
if [ "$(sha256sum <"$part")" != "$sha256  -" ]; then rm -f "$part"; echo broken; exit 0; fi
sync "$part" 2>/dev/null || sync
mv -f "$part" "$target"
echo whole
"""


def no_progress(name: str, done: int, whole: int) -> None:
    """Nobody looks."""


def upload(transport: Transport, local: Path, remote: str, sha256: str, tick: Ticker = no_progress) -> bool:
    """Bring `local` (whose digest is `sha256`) to the absolute path `remote`; False where it was there already.

    Raises Trouble where the link breaks, the robot's disk is full, or the bytes arrive wrong twice.
    """
    place = PurePosixPath(remote)
    part = str(place.with_name(f".part-{sha256[:16]}-{place.name}"))
    head = f"target={shlex.quote(remote)}; part={shlex.quote(part)}; sha256={sha256}\n"
    size = local.stat().st_size
    for _ in range(2):
        there = _ran(transport, head + _LOOK, remote)
        if there == "whole":
            return False
        # More bytes than the file has can't be its beginning.
        offset = int(there) if there.isdigit() and int(there) <= size else 0
        transport.put(local, part, lambda done, whole: tick(place.name, done, whole), offset=offset)
        if _ran(transport, head + _FINISH, remote) == "whole":
            return True
    raise Trouble(f"{place.name} arrived damaged twice", cure="check the robot's disk and memory", code="deploy_failed")


def _ran(transport: Transport, script: str, remote: str) -> str:
    ran = transport.run(script, timeout_s=120)
    return ran.output(f"{remote} can't be written on the robot", "check the space and the permissions there")
