"""What must not be loaded is not: seen in fresh processes, because import contracts can't see imports inside functions."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("textual", "rich", "paramiko", "numpy", "cv2", "onnxruntime", "PIL", "sqlite3", "asyncio", "yaml", "psutil")


def loaded(code: str) -> set[str]:
    """Top-level and second-level module names that a fresh interpreter has loaded after `code`."""
    script = f"{code}\nimport sys\nprint(*sorted(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_help_is_quick_because_it_loads_nothing_heavy() -> None:
    code = "from console.cli import cli\ntry: cli.main(['--help'], standalone_mode=False)\nexcept SystemExit: pass"
    assert not loaded(
        f"import contextlib,io\nwith contextlib.redirect_stdout(io.StringIO()):\n {code.replace(chr(10), chr(10) + ' ')}"
    ) & set(HEAVY)


VOCABULARY = (
    "protocol",
    "metrics",
    "histogram",
    "errors",
    "refusals",
    "strict_yaml",
    "atomic",
    "manifest",
    "lazy_commands",
)


@pytest.mark.parametrize("module", [f"remote.{name}" for name in VOCABULARY])
def test_the_vocabulary_stays_light_for_both_ends(module: str) -> None:
    assert not loaded(f"import {module}") & {*HEAVY, "console"}


@pytest.mark.parametrize("module", ["console.alarms", "console.watching", "console.tour", "console.link.snapshot"])
def test_headless_rules_know_no_screen_and_no_ssh(module: str) -> None:
    assert not loaded(f"import {module}") & {"textual", "paramiko", "sqlite3", "remote.agent", "remote.perception"}


def test_the_screen_starts_without_what_it_does_not_show_yet() -> None:
    assert not loaded("import console.app") & {"paramiko", "sqlite3", "numpy", "cv2", "PIL", "onnxruntime", "psutil"}


@pytest.mark.parametrize("module", ["remote.agent.serve", "remote.perception.worker"])
def test_the_robot_half_runs_without_the_laptop_half(module: str) -> None:
    assert not {name.split(".")[0] for name in loaded(f"import {module}")} & {"console", "textual", "paramiko"}
