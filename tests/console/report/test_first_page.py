"""Page one: who decides reads two sentences, and they must be those that the record bears."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from console import exits
from console.cli import cli
from console.fieldtest.criteria import Criterion
from console.fieldtest.running import Measured, Running
from console.fieldwork.figures import figures
from console.gap.episodes import Episodes
from console.phases.schema import Plan
from console.phases.states import TrialState
from console.record.entries import Moment, SessionMeasured
from console.record.roster import allowed_signers
from console.report.field_sheet import _path as path_of
from console.report.first_words import first_words
from console.report.gap_sheet import gap_sheet
from console.report.pages import report_html
from console.report.sheet import Sheet
from console.report.trial_rows import MOST_ROWS, trial_table
from console.report.writing import sheet_of_record
from remote.errors import Trouble
from tests.console.fieldwork.field_world import FieldWorld

KPIS = (Path(__file__).parents[3] / "checklists" / "perception" / "kpis.yaml").read_text()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FieldWorld:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return FieldWorld(tmp_path)


def tried(world: FieldWorld) -> Sheet:
    """24 trials, one undone, and 100 s of running that was up for 80 s."""
    (world.folder / "kpis.yaml").write_text(KPIS)
    field = world.unlinked()
    for place in range(24):
        field.log_trial("failure" if place % 6 == 0 else "success", "anna", note="slipped <b>" if place == 6 else "")
    field.undo("anna")
    session = field.state().session
    assert session is not None
    world.pass_time(100)
    running = Running(wanted_s=100, known_s=100, up_s=80, frames=900)
    moment = Moment(wall_ns=world.now_ns)
    measured = SessionMeasured(session=session.seq, measured=Measured(running=running), moment=moment)
    field.campaign.record.append("anna", measured)
    campaign = field.campaign
    return sheet_of_record(
        campaign.state(),
        campaign.checklist,
        campaign.record,
        allowed_signers=allowed_signers(campaign.roster),
        figures=figures(campaign),
    )


def test_the_first_sentences_say_what_is_proved_what_is_missing_and_what_fails(world: FieldWorld) -> None:
    sheet = tried(world)
    assert sheet.field is not None
    phases, found = sheet.first_words
    assert phases.startswith("Without a link: ")
    assert phases.endswith("Not begun: In the lab.")
    assert found.startswith("1 figure fails: Uptime; ")
    html = report_html(sheet)
    assert html.index("Without a link: ") < html.index("Field test</h2>") < html.index("Overrides and deferrals")


def test_nothing_begun_is_said_and_nothing_more_is_claimed(world: FieldWorld) -> None:
    assert first_words(world.field().state(), ()) == ("No phase of the field test was begun.",)


def test_failed_figures_come_first_and_those_without_a_measurement_are_one_line(world: FieldWorld) -> None:
    sheet = tried(world).field
    assert sheet is not None
    assert next(one.title for one in sheet.kpis) == "Uptime"
    assert {"GPU", "Uptime"} & {one.title for one in sheet.kpis} == {"Uptime"}
    assert any(words.startswith("Inference, End to end, CPU, GPU, ") for words in sheet.not_measured)


def test_every_trial_is_in_the_table_the_undone_one_with_its_reason(world: FieldWorld) -> None:
    sheet = tried(world)
    assert sheet.field is not None
    table = next(one.trials for one in sheet.field.phases if one.trials.rows)
    assert table.title == "All 24 trials, 23 of which count"
    assert [row.why_not for row in table.rows][-2:] == ["", "undone"]
    assert "slipped &lt;b&gt;" in report_html(sheet)


def test_of_very_many_trials_the_newest_are_shown_and_the_rest_is_counted() -> None:
    one = TrialState(
        seq=1, number=1, session=1, phase="lab", outcome="success", conditions={}, note="", person="anna", wall_ns=1
    )
    trials = [msgspec.structs.replace(one, number=number) for number in range(1, MOST_ROWS + 3)]
    table = trial_table(trials, "lab")
    assert (len(table.rows), table.rows[-1].number) == (MOST_ROWS, MOST_ROWS + 2)
    assert table.more.startswith("2 older ones are in record.json")
    assert trial_table(trials[:MOST_ROWS], "lab").more == ""


def test_each_entry_is_told_in_the_words_of_the_log(world: FieldWorld) -> None:
    rows = {row.word: row.text for row in tried(world).log}
    assert rows["trial"].startswith("bench_trials, session ")
    assert {"phase_begun", "session_begun", "session_measured", "withdrawal"} <= set(rows)


def test_the_plot_marks_the_trial_that_decided_and_nothing_where_none_did() -> None:
    criterion = Criterion(metric="success_rate", statistic="rate", comparison=">", threshold=70, unit="%")
    plan = Plan(n=90, expected=90, look="sequential")
    uri, words = path_of([True] * 20, criterion, plan)
    assert words == "; pass after trial 13"
    assert uri
    assert path_of([True] * 12, criterion, plan)[1] == ""
    assert path_of([True] * 20, criterion, None)[1] == ""
    assert path_of([True], criterion, plan) == ("", "")


# ------------------------------------------------------------ the folder, and simulation


def run(*words: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(cli, ["report", *words])
    return found.exit_code, found.stdout, f"{found.stderr}{found.exception or ''}"


def test_a_report_replaces_only_a_report_and_says_so(world: FieldWorld, tmp_path: Path) -> None:
    """A slip of -o must not cost anybody's files."""
    world.field().campaign.close()
    out = tmp_path / "out"
    assert run("c1", "-o", "out")[::2] == (exits.OK, "")
    code, _, said = run("c1", "-o", "out")
    assert (code, said) == (exits.OK, "replaced the report that was in out\n")
    (out / "thesis.tex").write_text("mine")
    (out / "report.html").write_text("old")
    code, _, said = run("c1", "-o", "out")
    assert code != exits.OK
    assert "thesis.tex" in said
    assert (out / "report.html").read_text() == "old"
    assert run("c1", "-o", "out", "--force")[0] == exits.OK
    assert (out / "thesis.tex").read_text() == "mine"


def test_simulation_is_held_against_the_trials_or_another_table(world: FieldWorld, tmp_path: Path) -> None:
    tried(world)
    (tmp_path / "sim.csv").write_text("success,latency_ms\n" + "1,12\n0,11\n" * 2 + "1,13\n" * 26)
    (tmp_path / "real.csv").write_text("success,latency_ms\n" + "0,80\n1,90\n" * 15)
    assert run("c1", "-o", "out", "--sim", "sim.csv")[0] == exits.OK
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Simulation and reality" in page
    assert "19 of 23 real against 28 of 30 simulated" in page
    assert run("c1", "-o", "out", "--sim", "sim.csv", "--real", "real.csv")[0] == exits.OK
    page = (tmp_path / "out" / "report.html").read_text()
    assert "It answers later" in page
    assert "Compensate the latency" in page
    assert "Latency of each episode" in page
    assert run("c1", "-o", "out", "--real", "real.csv")[0] == exits.USAGE


def test_two_tables_with_nothing_in_common_are_refused() -> None:
    with pytest.raises(Trouble, match="no figure in common"):
        gap_sheet(Episodes("a", 1, None, {"latency_ms": (1.0,)}, {}), Episodes("b", 1, None, {"lag_s": (1.0,)}, {}))
