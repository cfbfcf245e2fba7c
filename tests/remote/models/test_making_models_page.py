"""Who exports does it from docs/making-models.md: it must name the options, checks and fields that there are."""

from __future__ import annotations

import re
from pathlib import Path

import click
import yaml

from remote.models.comparing.command import compare
from remote.models.comparing.compare import Comparison, Row
from remote.models.comparing.layers import Layer, Layers
from remote.models.comparing.layers_command import layers
from remote.models.comparing.resampling import Interval
from remote.models.export.command import export
from remote.models.export.made import ExportReport
from remote.models.export.policy_files import read_words
from remote.models.optimise.command import optimise
from remote.verdicts import Check

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "making-models.md").read_text("utf-8")
PART = PAGE.partition("## Export\n")[2].partition("\n## ")[0]
OPTIMISE = PAGE.partition("## Optimise and compare\n")[2].partition("\n## ")[0]


def test_each_option_of_the_page_is_one_of_the_command_and_each_is_named() -> None:
    options = {name for one in export.params if isinstance(one, click.Option) for name in one.opts}
    assert set(re.findall(r"--[a-z][\w-]*", PART)) <= options
    for name in ("--golden", "--units", "--normalise", "--trust-pickle", "--dynamic", "--factory", "--atol", "--rtol"):
        assert name in PART


def test_the_page_names_every_field_of_the_report() -> None:
    fields = re.search(r"`--json` prints one object: `([\w\s]+)`\.\nA check has `([\w\s]+)`", PART)
    assert fields is not None
    assert tuple(fields.group(1).split()) == ExportReport.__struct_fields__
    assert tuple(fields.group(2).split()) == Check.__struct_fields__


def test_the_units_of_the_page_are_a_file_that_is_read(tmp_path: Path) -> None:
    [text] = re.findall(r"```yaml\n(.*?)```", PART, re.DOTALL)
    assert set(yaml.safe_load(text)) == {"observations", "actions"}
    (tmp_path / "units.yaml").write_text(text)
    assert read_words(tmp_path / "units.yaml", {"observation": 2}, 2).actions.units == ("Nm", "Nm")


def test_each_option_that_optimising_names_is_one_of_its_commands() -> None:
    commands = (optimise, compare, layers)
    options = {name for command in commands for one in command.params for name in one.opts}
    assert set(re.findall(r"--[a-z][\w-]*", OPTIMISE)) <= options


def test_the_page_names_every_field_of_what_comparing_prints() -> None:
    """Who reads the JSON in a job has nothing else."""
    named = {tuple(found.split()) for found in re.findall(r"`(\w+(?: \w+)+)`", OPTIMISE)}
    for struct in (Comparison, Row, Interval, Layers, Layer):
        assert struct.__struct_fields__ in named, struct
