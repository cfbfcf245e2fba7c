"""Two threads that use a struct type for the first time crash the process: a screen that opens would be gone."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALONE = {
    "remote/updates/client_process.py",
    "remote/models/validation/process.py",
    "remote/perception/worker.py",
    "remote/prove/children.py",
    "remote/prove/proof.py",
}
"""Programs that have no second thread when they decode."""
RACE = """
import sys, threading, types, msgspec
from remote.ready_types import ready
sys.setswitchinterval(1e-6)
FIELDS = "class C{0}(msgspec.Struct):\\n    b: 'list[C{1}]'\\n    c: 'C{1} | None' = None\\n"
LAST = "class C20(msgspec.Struct):\\n    a: int = 0\\n"
TEXT = "import msgspec\\n" + "".join(FIELDS.format(i, i + 1) for i in range(20)) + LAST
found = []
def use(kind, all_there):
    all_there.wait()
    found.append(msgspec.convert({"b": [{"b": []}]}, ready(kind)))
for number in range(15):
    module = types.ModuleType(f"m{number}")
    sys.modules[module.__name__] = module
    exec(TEXT, module.__dict__)
    all_there = threading.Barrier(3)
    threads = [threading.Thread(target=use, args=(kind, all_there)) for kind in (module.C0, module.C1, module.C0)]
    [one.start() for one in threads]
    [one.join() for one in threads]
print(len(found))
"""


def test_threads_that_meet_at_a_new_type_all_get_their_value() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", RACE], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "45\n"), ran.stderr


def types_given(text: str) -> Iterator[ast.expr]:
    """The types that are given to msgspec's convert and decode."""
    if "msgspec.convert" not in text and "json.decode" not in text:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "msgspec.convert":
            yield node.args[1]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "msgspec.json.decode":
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "type")


@pytest.mark.parametrize("room", ["console", "remote"])
def test_no_type_is_used_that_was_not_made_ready(room: str) -> None:
    unready = [
        f"{path.relative_to(ROOT)}:{given.lineno}"
        for path in (ROOT / room).rglob("*.py")
        if str(path.relative_to(ROOT)) not in ALONE
        for given in types_given(path.read_text(encoding="utf-8"))
        if not ast.unparse(given).startswith("ready(")
    ]
    assert unready == []
