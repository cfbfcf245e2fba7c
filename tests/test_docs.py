"""The pages that scripts are written from say what the program does."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from console import exits
from console.cli import cli
from console.fieldtest.kpis import parse_kpis
from console.fieldtest.measures import MEASURES
from console.watching import Row
from docs.generate import kpis_page, metrics_page

DOCS = Path(__file__).parent.parent / "docs"
TO_BE_WRITTEN = ("console/checklist/probes/uptime.py",)
"""Files that a page shows how to write."""
PAGES = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]


def test_a_metric_can_be_looked_up_by_the_name_on_the_screen() -> None:
    assert (DOCS / "metrics.md").read_text(encoding="utf-8") == metrics_page(), "run `make docs`"


def test_each_figure_of_a_field_test_can_be_looked_up_with_its_formula() -> None:
    page = (DOCS / "kpis.md").read_text(encoding="utf-8")
    assert page == kpis_page(DOCS), "run `make docs`"
    assert set(re.findall(r"^\| `(\w+)` \| \S+ \| \w+ \| \w+ \|", page, re.MULTILINE)) == set(MEASURES)


def test_the_worked_kpis_are_a_file_that_is_read() -> None:
    [text] = re.findall(r"```yaml\n(.*?)```", (DOCS / "kpis.md").read_text(encoding="utf-8"), re.DOTALL)
    assert [one.id for one in parse_kpis(text, "docs/kpis.md").kpis] == ["end_to_end", "uptime"]


def test_a_script_can_rely_on_the_table_of_exit_codes() -> None:
    rows = re.findall(r"^\| (\d+) \| (\w+) \|", (DOCS / "exit-codes.md").read_text(encoding="utf-8"), re.MULTILINE)
    codes = {name: value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    assert {name: int(code) for code, name in rows} == codes


def test_each_command_with_an_exit_code_of_its_own_is_on_the_page() -> None:
    """A job that reads 7 as an error needs to know which commands say "not decided" with it."""
    page = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    sources = (DOCS.parent / "console" / "commands").glob("*.py")
    of_its_own = {path.stem for path in sources if re.search(r"exits\.(ALARM|NO_DATA)\b", path.read_text("utf-8"))}
    words = {name.split("_")[0] for name in of_its_own} - {"field"}  # field_words: phase, session and trial
    assert {"phase", "kpis", "gap", "failures"} <= words
    assert [word for word in words if not re.search(rf"`(fieldgate )?{word}\b", page)] == []


def test_each_fault_of_the_page_is_proved_by_a_test_that_exists() -> None:
    page = (DOCS / "faults.md").read_text(encoding="utf-8")
    rows = [row for row in page.splitlines() if row.startswith("| ") and not row.startswith("| fault ")]
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, f"no test is named in: {row}"
        for file, test in named:
            source = (DOCS.parent / file).read_text(encoding="utf-8")
            assert re.search(rf"^(async )?def {test}\(", source, re.MULTILINE), f"{file} has no {test}"


def test_a_pipe_can_rely_on_the_fields_of_watch() -> None:
    page = (DOCS / "watch.md").read_text(encoding="utf-8")
    table = page.partition("## Fields of a JSON row")[2]
    first_cells = re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
    documented = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    assert documented == set(Row.__struct_fields__)


# ---------------------------------------------------------------- names that a reader follows


def test_each_file_that_a_page_names_is_there() -> None:
    missing = [
        f"{page.name}: {name}"
        for page in PAGES
        for name in re.findall(
            r"`((?:console|remote|tests|checklists|docs|bench)/[\w./-]*)`", page.read_text(encoding="utf-8")
        )
        if name not in TO_BE_WRITTEN and not (DOCS.parent / name).exists()
    ]
    assert not missing


def test_each_link_between_pages_leads_somewhere() -> None:
    broken = [
        f"{page.name}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken


def test_the_table_of_rooms_names_files_that_are_there() -> None:
    table = (DOCS / "architecture.md").read_text(encoding="utf-8").split("| room | file |")[1].split("\n\n")[0]
    room, named = "", 0
    for row in table.splitlines()[2:]:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        room = cells[0].strip("`") or room
        for name in re.findall(r"`([^`]+)`", cells[1]):
            assert (DOCS.parent / room / name).exists(), f"{room}/{name}"
            named += 1
    assert named > 40


# ---------------------------------------------------------------- commands that a reader copies


def test_a_newcomer_finds_every_command_in_the_readme() -> None:
    table = (DOCS.parent / "README.md").read_text(encoding="utf-8").partition("## Commands\n")[2].partition("\n\n`")[0]
    named = re.findall(r"`(\w+)`", table)
    assert sorted(named) == sorted(cli.list_commands(click.Context(cli)))


def _commands(page: Path) -> Iterator[str]:
    """What the page's blocks and its quoted words tell to type, without what a shell makes of it."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    lines += re.findall(r"^ {4}(fieldgate .*)$", text, re.MULTILINE)
    quoted = [" ".join(words.split()) for words in re.findall(r"`(fieldgate [^`]+)`", text)]
    for line in (*lines, *quoted):
        command = re.sub(r"^(- run: |\$ |[A-Z]+=\$\()", "", line)
        if command.startswith("fieldgate "):
            yield re.split(r" [|>#] | \|\| |  +", command)[0]


def _unknown(command: str) -> str:
    """The first option or subcommand of the line that the program does not have; empty where it has all."""
    words = shlex.split(re.sub(r"[\[\]]", "", command.replace("...", "")), comments=True)[1:]
    if words and words[0] not in [*cli.list_commands(click.Context(cli)), "--debug"]:
        words = ["live", *words]  # `fieldgate orin`: a robot
    at: click.Command = cli
    while words and isinstance(at, click.Group) and not words[0].startswith("-"):
        found = at.get_command(click.Context(at), words[0])
        if found is None:
            return words[0]
        at, words = found, words[1:]
    known = {option for parameter in at.params for option in (*parameter.opts, *parameter.secondary_opts)}
    known |= {"--help", "-h", "--"}
    options = [] if at.context_settings.get("ignore_unknown_options") else words  # those are for the child process
    return next((word for word in options if word.startswith("--") and word.split("=")[0] not in known), "")


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_each_command_of_a_page_is_one_that_the_program_has(page: Path) -> None:
    assert [f"{command}: {_unknown(command)}" for command in _commands(page) if _unknown(command)] == []


def test_a_command_that_the_program_has_not_is_noticed() -> None:
    assert _unknown("fieldgate campaign new orin --bundel B") == "--bundel"
    assert _unknown("fieldgate campaign begin orin") == "begin"
    assert _unknown("fieldgate orin --acsii") == "--acsii"
    assert _unknown("fieldgate orin --ascii") == ""
    assert _unknown("fieldgate campaign new orin --bundle B") == ""
    assert sum(1 for page in PAGES for _ in _commands(page)) > 100
