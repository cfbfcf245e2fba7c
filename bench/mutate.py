"""`python -m bench.mutate [MODULE ...]`: inverts each comparison of probes and criteria, one at a time; a test must fail.

Works in temporary copies, never in this tree, and runs only the tests that belong to the changed module. What no test notices
is a survivor. Ends with 1 where one survives that is not in bench/mutants.yaml with the reason why nobody can notice it, and
where a reason stands there for a change that is noticed or no longer there.
"""

from __future__ import annotations

import ast
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from bench.warm_tests import ROOT, Tried, Try, copies, tried, warm_up

PROBES, FIELDTEST = "console/checklist/probes", "console/fieldtest"
_CHECKLIST_TESTS, _FIELDTEST_TESTS = "tests/console/checklist", "tests/console/fieldtest"
TESTS = {
    f"{PROBES}/__init__.py": ("test_probe_docs.py",),
    f"{PROBES}/windows.py": ("test_probe_live.py", "test_probe_camera.py"),
    f"{FIELDTEST}/binomial.py": ("test_bounds.py", "test_judging.py"),
    f"{FIELDTEST}/criteria.py": ("test_judging.py",),
    f"{FIELDTEST}/judging.py": ("test_judging.py",),
    f"{FIELDTEST}/quantiles.py": ("test_bounds.py", "test_judging.py"),
}
"""Where the tests of a probe's module are called otherwise than test_probe_NAME.py."""
Tests = tuple[str, ...]
ACCEPTED = Path(__file__).with_name("mutants.yaml")
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
    mutants = [mutant for module in modules for mutant in mutants_of(module, _source(module))]
    began = time.monotonic()
    warm_up()
    with tempfile.TemporaryDirectory(prefix="fieldgate-mutate-") as folder:
        places = copies(Path(folder), os.cpu_count() or 1)
        whole = _unchanged(places, dict.fromkeys(mutant.module for mutant in mutants))
        if whole is None:
            return 1
        survivors = list(_survivors(places, mutants, whole))
    return _told(mutants, survivors, began)


def _unchanged(places: list[Path], modules: Iterable[str]) -> dict[Tests, Tried] | None:
    """What came of each module's tests without any change; None where one fails: then nothing can be learned from them."""
    one_of = {tests_of(module): module for module in modules}
    tries = [Try(module, _source(module), tests, {}) for tests, module in one_of.items()]
    found = {tries[number].tests: outcome for number, outcome in tried(places, tries)}
    for tests, outcome in found.items():
        if not outcome.passed:
            print(f"{outcome.said[-4000:]}\n{' '.join(tests)} fail without any change: nothing can be learned")
    return found if all(outcome.passed for outcome in found.values()) else None


def _survivors(places: list[Path], mutants: list[Mutant], whole: dict[Tests, Tried]) -> Iterator[Mutant]:
    tests = [tests_of(mutant.module) for mutant in mutants]
    tries = (Try(it.module, it.source, its, whole[its].took_s) for it, its in zip(mutants, tests, strict=True))
    for number, outcome in tried(places, tries):
        if outcome.passed:
            mutant = mutants[number]
            print(f"survives: {mutant.module}:{mutant.line}  {mutant.before}  ->  {mutant.after}", flush=True)
            yield mutant


def _source(module: str) -> str:
    return (ROOT / module).read_text(encoding="utf-8")


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


def tests_of(module: str) -> Tests:
    """The test files that belong to a module."""
    folder = _FIELDTEST_TESTS if module.startswith(FIELDTEST) else _CHECKLIST_TESTS
    return tuple(f"{folder}/{name}" for name in TESTS.get(module, (f"test_probe_{Path(module).stem}.py",)))


def _told(mutants: list[Mutant], survivors: list[Mutant], began: float) -> int:
    accepted: dict[str, str] = yaml.safe_load(ACCEPTED.read_text(encoding="utf-8")) or {}
    modules, names = {mutant.module for mutant in mutants}, {mutant.name for mutant in survivors}
    new = [mutant for mutant in survivors if mutant.name not in accepted]
    needless = [name for name in accepted if name.partition(":")[0] in modules and name not in names]
    noticed, took_s = len(mutants) - len(survivors), time.monotonic() - began
    print(f"\n{len(mutants)} changes, {noticed} noticed, {len(survivors)} survived in {took_s:.0f} s")
    for mutant in survivors:
        print(f"  {'accepted' if mutant.name in accepted else 'NEW':<9} {mutant.module}:{mutant.line}")
        print(f"            {mutant.before}  ->  {mutant.after}")
        print(f"            {accepted.get(mutant.name, _WANTED)}")
    for name in needless:
        print(f"  NEEDLESS  {name}\n            it does not survive: take its reason out of bench/mutants.yaml")
    return 1 if new or needless else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
