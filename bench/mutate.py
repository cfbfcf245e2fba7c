"""`python -m bench.mutate [MODULE ...]`: inverts each comparison of probes and criteria, one at a time; a test must fail.

Works in a temporary copy, never in this tree, and runs only the tests that belong to the changed module. What no test notices
is a survivor. Ends with 1 where one survives that is not in bench/mutants.yaml with the reason why nobody can notice it.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent
PROBES, FIELDTEST = "console/checklist/probes", "console/fieldtest"
_CHECKLIST_TESTS, _FIELDTEST_TESTS = "tests/console/checklist", "tests/console/fieldtest"
TESTS = {
    f"{PROBES}/__init__.py": ("test_probe_docs.py",),
    f"{PROBES}/laptop.py": ("test_probe_files.py", "test_probe_results.py"),
    f"{PROBES}/parquet_child.py": ("test_probe_results.py",),
    f"{PROBES}/tables.py": ("test_probe_results.py",),
    f"{PROBES}/windows.py": ("test_probe_live.py", "test_probe_camera.py"),
}
"""Where the tests of a probe's module are called otherwise than test_probe_NAME.py."""
ACCEPTED = Path(__file__).with_name("mutants.yaml")
LIMIT_S = 180.0
_WANTED = "write a test that notices it, or say in bench/mutants.yaml why none can"
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_EDGE: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}


class Mutant(NamedTuple):
    """One change: the module, the line, what stood there, what stands there instead, and the whole new source."""

    module: str
    line: int
    before: str
    after: str
    source: str

    @property
    def name(self) -> str:
        """How bench/mutants.yaml calls it: it survives lines that move."""
        return f"{self.module}: {self.before} -> {self.after}"


def main(wanted: list[str]) -> int:
    """Try every mutant of the modules (all, or those whose path holds one of `wanted`); print survivors; 1 for a new one."""
    modules = [it for it in _modules() if not wanted or any(word in it for word in wanted)]
    accepted: dict[str, str] = yaml.safe_load(ACCEPTED.read_text(encoding="utf-8")) or {}
    began = time.monotonic()
    tried, survivors = 0, list[Mutant]()
    with tempfile.TemporaryDirectory(prefix="fieldgate-mutate-") as folder:
        copy = _copied(Path(folder))
        for module in modules:
            if not _passes(copy, module):
                print(f"{module}: its tests fail without any change; nothing can be learned from them")
                return 1
            for mutant in mutants_of(module, (ROOT / module).read_text(encoding="utf-8")):
                tried += 1
                if _survives(copy, mutant):
                    survivors.append(mutant)
                    print(f"survives: {mutant.module}:{mutant.line}  {mutant.before}  ->  {mutant.after}", flush=True)
    return _told(tried, survivors, accepted, time.monotonic() - began)


def mutants_of(module: str, source: str) -> Iterator[Mutant]:
    """Every changed source: each comparison turned round and moved by its edge, `and`/`or` swapped, `not` taken away."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for undo in _changes(node):
            before = undo.before
            yield Mutant(module, getattr(node, "lineno", 0), before, ast.unparse(node), ast.unparse(tree))
            undo.back()


class _Change:
    """A change made to a node, which can be taken back."""

    def __init__(self, node: ast.AST, field: str, value: object) -> None:
        self.before = ast.unparse(node)
        self._node, self._field, self._old = node, field, getattr(node, field)
        setattr(node, field, value)

    def back(self) -> None:
        """As it was."""
        setattr(self._node, self._field, self._old)


def _changes(node: ast.AST) -> Iterator[_Change]:
    if isinstance(node, ast.Compare):
        for index, op in enumerate(node.ops):
            for table in (_OPPOSITE, _EDGE):
                if type(op) in table:
                    yield _Change(node, "ops", [*node.ops[:index], table[type(op)](), *node.ops[index + 1 :]])
    elif isinstance(node, ast.BoolOp):
        yield _Change(node, "op", ast.And() if isinstance(node.op, ast.Or) else ast.Or())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        # `not not x` is x as a condition, whatever it stands in.
        yield _Change(node, "operand", ast.UnaryOp(ast.Not(), node.operand))


def _modules() -> list[str]:
    return [
        str(path.relative_to(ROOT)) for folder in (PROBES, FIELDTEST) for path in sorted((ROOT / folder).glob("*.py"))
    ]


def _tests_of(module: str) -> list[str]:
    if module.startswith(FIELDTEST):
        return [str(path.relative_to(ROOT)) for path in sorted((ROOT / _FIELDTEST_TESTS).glob("test_*.py"))]
    names = TESTS.get(module, (f"test_probe_{Path(module).stem}.py",))
    return [f"{_CHECKLIST_TESTS}/{name}" for name in names]


def _copied(folder: Path) -> Path:
    keep_out = shutil.ignore_patterns("__pycache__", "*.pyc", "*.onnx", ".venv*", ".git")
    for name in ("console", "remote", "checklists", "docs", "tests", "pyproject.toml"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=keep_out)
        else:
            shutil.copy(source, folder / name)
    return folder


def _survives(copy: Path, mutant: Mutant) -> bool:
    path = copy / mutant.module
    whole = path.read_text(encoding="utf-8")
    path.write_text(mutant.source, encoding="utf-8")
    try:
        return _passes(copy, mutant.module)
    finally:
        path.write_text(whole, encoding="utf-8")


def _passes(copy: Path, module: str) -> bool:
    """Whether the module's tests pass in the copy. A run that does not end has noticed the change too."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "pytest_asyncio.plugin", *_tests_of(module)]
    # The copy comes before the installed checkout; a changed file must never be read from a stale cache. Finding every
    # plug-in would take twice as long as the tests.
    changed = {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    try:
        done = subprocess.run(
            command, cwd=copy, env={**os.environ, **changed}, capture_output=True, check=False, timeout=LIMIT_S
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _told(tried: int, survivors: list[Mutant], accepted: dict[str, str], took_s: float) -> int:
    new = [mutant for mutant in survivors if mutant.name not in accepted]
    print(f"\n{tried} changes, {tried - len(survivors)} noticed, {len(survivors)} survived in {took_s:.0f} s")
    for mutant in survivors:
        print(f"  {'accepted' if mutant.name in accepted else 'NEW':<9} {mutant.module}:{mutant.line}")
        print(f"            {mutant.before}  ->  {mutant.after}")
        print(f"            {accepted.get(mutant.name, _WANTED)}")
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
