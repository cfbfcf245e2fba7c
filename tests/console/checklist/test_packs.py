"""The shipped packs: complete, without a dead reference, and what they promise about limits is true."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from console.campaigns.looking_at import look_at
from console.checklist.pack import Item
from console.checklist.packs.linting import lint_file
from console.checklist.packs.loading import load_checklist, shipped_packs
from console.checklist.packs.showing import item_text, pack_text
from console.fieldtest.criteria import Rate
from console.fieldtest.judging import judge
from console.looking import OfflineSight
from remote.models.validation.suite import ENGINE_CHECKS

REPOSITORY = Path(__file__).parents[3]
EXAMPLES = REPOSITORY / "checklists" / "grasping" / "examples"
PACKS = sorted(shipped_packs())
POWER = {"power_mode", "no_power_modes"}


def item(pack: str, id: str) -> Item:
    return next(item for item in load_checklist(pack).pack.items() if item.id == id)


def verdict(pack: str, id: str, successes: int, n: int) -> str:
    """What the item's own criterion says of so many successes."""
    return judge(item(pack, id).criterion, Rate(successes, n)).verdict


def test_the_packs_are_there_under_their_own_names() -> None:
    assert PACKS == ["aircraft", "grasping", "new_model", "perception"]
    assert [load_checklist(name).pack.name for name in PACKS] == PACKS


@pytest.mark.parametrize("name", PACKS)
def test_lint_has_nothing_to_say_about_a_shipped_pack(name: str) -> None:
    assert lint_file(name) == []


@pytest.mark.parametrize("name", PACKS)
def test_each_item_names_hazard_requirement_and_cure(name: str) -> None:
    """A reviewer follows the ids, an engineer the cure; one that is missing is found beside the robot."""
    pack = load_checklist(name).pack
    for one in pack.items():
        assert one.hazard, one.id
        assert one.requirement, one.id
        assert one.cure, one.id
        assert one.why or one.how or one.statement or one.kind == "sensed", one.id
        assert one.hazard in pack.description, f"{one.hazard} is not explained"


@pytest.mark.parametrize("name", PACKS)
def test_nobody_gets_into_production_by_an_override_or_alone(name: str) -> None:
    last = load_checklist(name).pack.stages[-1].gate
    assert not last.overrides_allowed
    assert {signing.meaning for signing in last.signatures} >= {"performed", "reviewed"}
    by_meaning = {signing.meaning: set(signing.roles) for signing in last.signatures}
    assert not by_meaning["performed"] & by_meaning["reviewed"]


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_reads_well_in_80_columns(name: str) -> None:
    known = load_checklist(name)
    for text in (pack_text(known), *(item_text(known, one) for one in known.pack.items())):
        assert max(map(len, text.splitlines())) <= 80
    whole = pack_text(known)
    for one in known.pack.items():
        assert f"[{one.id}]" in whole
        assert str(one.requirement) in whole


# ------------------------------------------------------------ the limits that they promise


def test_the_ten_points_of_the_sim_to_real_list_are_all_there() -> None:
    found = {one.requirement for one in load_checklist("grasping").pack.items()}
    assert {f"S2R-{number:02}" for number in range(1, 11)} <= found


LIMITS = [
    ("grasping", "simulation_success", (26, 30), (21, 30)),
    ("grasping", "real_trials", (4, 5), (2, 5)),
    ("grasping", "real_trials", (6, 10), (5, 10)),
    ("new_model", "simulation_success", (26, 30), (21, 30)),
    ("perception", "simulation_accuracy", (59, 59), (58, 59)),
    ("aircraft", "simulation_success", (87, 100), (80, 100)),
    ("aircraft", "hil_success", (41, 50), (35, 50)),
]


@pytest.mark.parametrize(("pack", "id", "enough", "meets_the_letter"), LIMITS)
def test_a_rate_passes_where_the_pack_says_and_one_success_less_does_not(
    pack: str, id: str, enough: tuple[int, int], meets_the_letter: tuple[int, int]
) -> None:
    assert verdict(pack, id, *enough) in ("pass", "marginal")
    assert verdict(pack, id, *meets_the_letter) in ("inconclusive", "fail")


# ------------------------------------------------------------ the examples of the tour


@pytest.mark.parametrize("id", ["randomisation", "randomisation_tiers", "simulation_success", "real_trials"])
def test_the_examples_walk_a_newcomer_through_the_laptop_s_items(id: str) -> None:
    seen = look_at(item("grasping", id), OfflineSight(EXAMPLES))
    assert seen.judgement is not None, seen.finding.unavailable
    assert seen.judgement.verdict == "pass", seen.judgement.why


SPOILT = {
    "randomisation": ("randomisation.yaml", "low: 0.5,   high: 1.5", "low: 1.0,   high: 1.0", 3),
    "randomisation_tiers": ("randomisation.yaml", "low: 0.7,   high: 1.4", "low: 1.0,   high: 1.0", 1),
    "simulation_success": ("sim_results.csv", ",true,", ",false,", 20),
    "real_trials": ("real_trials.csv", ",true,", ",false,", 6),
}


@pytest.mark.parametrize("id", SPOILT)
def test_examples_that_were_made_worse_do_not_pass(id: str, tmp_path: Path) -> None:
    name, old, new, times = SPOILT[id]
    shutil.copytree(EXAMPLES, tmp_path / "files")
    path = tmp_path / "files" / name
    text = path.read_text(encoding="utf-8")
    if id == "randomisation":  # nothing of physics varies any more
        text = "\n".join(
            _fixed(line) if "_gain" in line or "_kg" in line or "_ms" in line else line for line in text.splitlines()
        )
    path.write_text(text.replace(old, new, times), encoding="utf-8")
    seen = look_at(item("grasping", id), OfflineSight(tmp_path / "files"))
    assert seen.judgement is not None, seen.finding.unavailable
    assert seen.judgement.verdict in ("fail", "inconclusive"), seen.judgement.why


def _fixed(line: str) -> str:
    """The same parameter, held at its lower end."""
    low = line.partition("low: ")[2].partition(",")[0]
    high = line.partition("high: ")[2].partition(",")[0]
    return line.replace(f"high: {high},", f"high: {low},")


@pytest.mark.parametrize("name", ["grasping", "new_model", "perception"])
def test_the_overlay_for_a_pc_fits_its_pack_and_says_what_it_loosens(name: str) -> None:
    """A job on a PC can't confirm anything: this overlay is how it gets to 0."""
    path = REPOSITORY / "checklists" / name / "examples" / "pc.yaml"
    assert {remark.level for remark in lint_file(path)} == {"warning"}
    laid = {one.id: one for one in load_checklist(name, [path]).pack.items()}
    assert {id for id, one in laid.items() if one.not_applicable} >= POWER.intersection(laid)


@pytest.mark.parametrize(
    "overlays", [(), (REPOSITORY / "checklists" / "new_model" / "examples" / "pc.yaml",)], ids=["", "pc"]
)
def test_the_suite_makes_each_check_that_a_new_model_must_pass(overlays: tuple[Path, ...]) -> None:
    """A required check that no robot knows would keep the item unavailable for ever."""
    validated = next(one for one in load_checklist("new_model", overlays).pack.items() if one.id == "model_validated")
    assert validated.probe is not None
    required = validated.probe.parameters["require"]
    assert isinstance(required, list)
    assert set(required) <= {*ENGINE_CHECKS, "bundle_intact"}
    assert {"model_loads", "parity", "latency_engine", "safety_hostile"} <= set(required)


def test_an_example_says_that_it_is_one() -> None:
    """A made-up table that is taken for a measured one is worse than none."""
    for path in (*EXAMPLES.iterdir(), *EXAMPLES.parents[1].glob("[np]*/examples/*")):
        assert "example" in path.read_text(encoding="utf-8").splitlines()[1 if path.suffix == ".csv" else 0].lower(), (
            path
        )


def test_an_installed_fieldgate_has_the_packs(tmp_path: Path) -> None:
    wheel = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(wheel, cwd=REPOSITORY, check=True, capture_output=True)
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    wanted = {f"checklists/{name}/checklist.yaml" for name in PACKS} | {"checklists/checklist.schema.json"}
    assert wanted | {f"checklists/grasping/examples/{path.name}" for path in EXAMPLES.iterdir()} <= names
