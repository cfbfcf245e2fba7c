"""What systemd is told (sd_notify) and the user unit that starts the agent there."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
from collections.abc import Mapping
from pathlib import Path

WATCHDOG_S = 20


def notify(message: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send `READY=1`, `WATCHDOG=1`, `STOPPING=1` or the like to $NOTIFY_SOCKET; False where there is none."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
        door.setblocking(False)  # a full queue at systemd must not stop the agent
        door.sendto(message.encode(), b"\0" + address[1:].encode() if address[0] == "@" else address)
        return True
    return False


def unit_text(executable: Path, home: Path | None = None) -> str:
    """The text of a systemd user unit that runs `executable serve` (a fieldgate-agent), in `home` where one is given."""
    words = [str(executable), "serve", *(["--home", str(home)] if home else [])]
    command = " ".join(_quoted(word) for word in words)
    return f"""[Unit]
Description=fieldgate agent: supervises perception and keeps its journal
StartLimitIntervalSec=300
StartLimitBurst=20

[Service]
Type=notify
ExecStart={command}
WatchdogSec={WATCHDOG_S}
Restart=on-failure
RestartSec=2
TimeoutStopSec=20
KillMode=mixed
UMask=0077

[Install]
WantedBy=default.target
"""


def _quoted(word: str) -> str:
    """A word for ExecStart: `%` and `$` are special there even inside quotes."""
    word = word.replace("%", "%%").replace("$", "$$")
    return word if shlex.quote(word) == word else '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
