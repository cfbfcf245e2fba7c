"""`make mutate`: a tool that called every change noticed would show clean figures for ever, and prove nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.mutate import mutants_of

ROOT = Path(__file__).parents[1]
CLOCK = "console/checklist/probes/clock.py"
TRIES = f"""
import sys, tempfile
from pathlib import Path
from bench.warm_tests import Try, copies, tried, warm_up
module = {CLOCK!r}
source = Path(module).read_text()
changed = source.replace("abs(offset_ms)", "offset_ms")
assert changed != source
tests = ("tests/console/checklist/test_probe_clock.py",)
warm_up()
with tempfile.TemporaryDirectory() as folder:
    places = copies(Path(folder), 1)
    found = dict(tried(places, [Try(module, text, tests, {{}}) for text in (source, changed, source)]))
print([found[number].passed for number in range(3)], len(found[0].took_s) >= 8)
"""


def test_a_change_that_loses_a_sign_is_noticed_and_the_source_comes_back_unchanged() -> None:
    done = subprocess.run([sys.executable, "-c", TRIES], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[True, False, True] True\n", "")


def test_every_comparison_is_turned_round_and_moved_by_its_edge() -> None:
    source = "def f(a, b, c):\n    return a < b <= c and not c or a is None\n"
    changes = {(mutant.line, mutant.after) for mutant in mutants_of("m.py", source)}
    assert changes == {
        (2, "(a < b <= c and (not c)) and a is None"),
        (2, "a < b <= c or not c"),
        (2, "a >= b <= c"),
        (2, "a <= b <= c"),
        (2, "a < b > c"),
        (2, "a < b < c"),
        (2, "not not c"),
        (2, "a is not None"),
    }


def test_each_change_stands_alone() -> None:
    source = "x = 1 < 2\ny = 3 == 4\n"
    assert [mutant.source for mutant in mutants_of("m.py", source)] == [
        "x = 1 >= 2\ny = 3 == 4",
        "x = 1 <= 2\ny = 3 == 4",
        "x = 1 < 2\ny = 3 != 4",
    ]
