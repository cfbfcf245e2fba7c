"""docs/probes.md: who writes a probe from it must get one that works, and find every parameter that there is."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from console.checklist.probes import PROBES, Finding, Known, look_of, parameters_type
from console.fieldtest.criteria import Criterion
from console.fieldtest.judging import judge
from console.link.transport import Ran
from docs.probe_table import with_table
from tests.console.checklist.given_robot import GivenRobot

PAGE = (Path(__file__).parents[3] / "docs" / "probes.md").read_text(encoding="utf-8")


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The worked example as a module, as it is printed."""
    source = next(block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "class " in block)
    (tmp_path / "uptime_of_the_page.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "uptime_of_the_page", raising=False)
    return importlib.import_module("uptime_of_the_page")


def looked(example: ModuleType, ran: Ran) -> Finding:
    robot = GivenRobot(ran=ran)
    found: Finding = example.look_at_uptime(robot.sight, example.UptimeParameters())
    assert [line.endswith("exec cat /proc/uptime") for line in robot.transport.commands] == [True]
    return found


def test_every_probe_and_parameter_is_in_the_table() -> None:
    assert with_table(PAGE) == PAGE, "run `make docs`"
    for name in PROBES:
        section = PAGE.partition(f"### `{name}`")[2].partition("### ")[0]
        for field in msgspec.structs.fields(parameters_type(name)):
            assert f"| `{field.encode_name}` |" in section


@pytest.mark.parametrize(("seconds", "verdict"), [(b"3599.99 1.0\n", "fail"), (b"3600.00 1.0\n", "pass")])
def test_the_worked_example_measures(example: ModuleType, seconds: bytes, verdict: str) -> None:
    found = looked(example, Ran(0, seconds, b""))
    assert found.measurement is not None
    criterion = Criterion(metric="uptime_s", comparison=">=", threshold=3600, unit="s")
    assert judge(criterion, found.measurement).verdict == verdict


@pytest.mark.parametrize("ran", [Ran(1, b"", b"cat: no such file"), Ran(0, b"", b""), Ran(0, b"nan nan\n", b"")])
def test_the_worked_example_says_what_it_cannot_see(example: ModuleType, ran: Ran) -> None:
    assert looked(example, ran).unavailable == "the robot has no /proc/uptime"


def test_the_line_of_the_worked_example_fits_the_table(example: ModuleType) -> None:
    line = next(block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if block.startswith('"uptime"'))
    made = eval(f"{{{line}}}", {"Known": Known, "_HERE": "console.checklist.probes"})
    assert hasattr(example, made["uptime"].parameters)
    assert hasattr(example, made["uptime"].look)


@pytest.mark.parametrize("name", PROBES)
def test_every_probe_of_the_table_can_be_loaded_and_refuses_unknown_parameters(name: str) -> None:
    assert callable(look_of(name))
    assert parameters_type(name).__struct_config__.forbid_unknown_fields
