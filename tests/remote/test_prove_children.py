"""Programs of the proof: how one ended is known whoever it left behind, and one that hangs does not hold up the proof."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from remote.prove.children import interrupted, run

HERE = Path("/")
ESCAPES = """
import subprocess
kept = subprocess.Popen(["sleep", "60"], start_new_session=True)
print(kept.pid, flush=True)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_who_escaped_with_the_output_is_not_waited_for() -> None:
    """A build that started a daemon was waited for for an hour, and then for ever."""
    begun = time.monotonic()
    ended = run(python(ESCAPES), cwd=HERE)
    late = run(python(f"{ESCAPES}import time; time.sleep(60)"), cwd=HERE, limit_s=0.5)
    for one in (ended, late):
        os.kill(int(one.out), signal.SIGKILL)
    assert (ended.code, late.code) == (0, -signal.SIGKILL)
    assert "did not end within 0.5 s" in late.words
    assert time.monotonic() - begun < 10


def test_a_build_that_says_nothing_or_lets_nobody_call_it_off_is_given_up() -> None:
    for code in ("import time; time.sleep(60)", "import time; print('a\\nb', flush=True); time.sleep(60)"):
        said, ran = interrupted(python(code), cwd=HERE, kill=False, limit_s=0.3)
        assert (said, ran.code) == (None, -signal.SIGKILL)


def test_output_and_last_words_come_whole() -> None:
    ended = run(python("import sys; print('x' * 200_000); sys.exit('no memory')"), cwd=HERE)
    assert (ended.code, ended.out, ended.last_words) == (1, b"x" * 200_000 + b"\n", "no memory")


def test_one_that_waits_for_its_stdin_is_called_off_by_its_end() -> None:
    code = "import sys; print('a\\nb', flush=True); sys.stdin.read(); print('called off')"
    _, ran = interrupted(python(code), cwd=HERE, kill=False, limit_s=20)
    assert (ran.code, ran.out) == (0, b"a\nb\ncalled off\n")
