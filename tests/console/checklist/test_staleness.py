"""Every change that takes a tick away, each with one that does not: old evidence must never pass for new."""

from __future__ import annotations

import pytest

from console.checklist.pack import Item, Probe
from console.fieldtest.criteria import Verdict
from console.record.changes import difference
from console.record.entries import Transcribed
from tests.console.checklist.fold_book import (
    BUNDLE_A,
    BUNDLE_B,
    DAY_NS,
    SECOND_NS,
    START_NS,
    Book,
    checklist,
    confirmed,
    sensed,
    witnessed,
)

DIGEST_A, DIGEST_B = "a1b2" + "7" * 60, "c3d4" + "8" * 60


def on_robot(id: str = "a", **more: object) -> Item:
    """A look at the robot itself: the bundle that runs there matters."""
    return sensed(id, probe=Probe(name="camera_alive"), **more)


def rested(at: Book, id: str = "a", **fingerprints: str) -> None:
    named = {name.replace("file_", "file:"): value for name, value in fingerprints.items()}
    at.look(id, fingerprints=named)


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("engine", "ONNX Runtime 1.18", "ONNX Runtime 1.19", "engine ONNX Runtime 1.18 -> ONNX Runtime 1.19"),
        ("power_mode", "15W", "MAXN", "power mode 15W -> MAXN"),
        ("source", "v4l2:0", "scene:", "source v4l2:0 -> scene:"),
        ("contract", DIGEST_A, DIGEST_B, "contract a1b2 -> c3d4"),
        ("calibration", DIGEST_A, DIGEST_B, "calibration a1b2 -> c3d4"),
        ("calibration", DIGEST_A, "", "calibration a1b2 -> unknown"),
        ("robot", DIGEST_A, DIGEST_B, "robot a1b2 -> c3d4"),
        ("file_runs.csv", DIGEST_A, DIGEST_B, "runs.csv a1b2 -> c3d4"),
        ("file_runs.csv", DIGEST_A, "gone", "runs.csv a1b2 -> gone"),
    ],
)
def test_a_fingerprint_that_changed_makes_stale_and_says_from_what_to_what(
    name: str, old: str, new: str, reason: str
) -> None:
    at = Book(checklist(on_robot(), on_robot("b")))
    at.see(**{name: old})
    rested(at, **{name: old})
    rested(at, "b", bundle=BUNDLE_A)
    at.see(**{name: old})
    assert at.item("a").state == "pass", "seen again, unchanged"
    at.see(**{name: new})
    found = at.item("a")
    assert (found.state, found.reason, found.since_wall_ns, found.need) == ("stale", reason, at.now_ns, "probe")
    assert at.item("b").state == "pass", "it does not rest on that"
    at.see(**{name: old})
    assert at.item("a").state == "pass", "it is again what it was"


@pytest.mark.parametrize("verdict", ["pass", "marginal", "fail"])
def test_whatever_was_decided_goes_stale(verdict: Verdict) -> None:
    at = Book(checklist(on_robot()))
    at.look("a", verdict, fingerprints={"engine": "one"})
    at.see(engine="two")
    assert at.item("a").state == "stale"


def test_what_nobody_could_see_stays_unavailable_and_what_was_undecided_pending() -> None:
    at = Book(checklist(on_robot("a"), on_robot("b")))
    at.blind("a", fingerprints={"engine": "one"})
    at.look("b", "inconclusive", fingerprints={"engine": "one"})
    at.see(engine="two")
    assert [one.state for one in at.state().items()] == ["unavailable", "pending"]


def test_a_new_look_counts_from_then_on() -> None:
    at = Book(checklist(on_robot()))
    rested(at, engine="one")
    at.see(engine="two")
    rested(at, engine="two")
    assert at.item("a").state == "pass"


def test_it_is_stale_since_it_was_left_for_the_last_time() -> None:
    at = Book(checklist(on_robot()))
    at.see(engine="zero")
    at.see(engine="one")
    rested(at, engine="one")
    at.see(engine="two")
    at.see(engine="one")
    at.see(engine="two")
    since = at.now_ns
    at.see(engine="three")
    assert (at.item("a").since_wall_ns, at.item("a").reason) == (since, "engine one -> three")


def test_evidence_that_was_old_when_it_was_written_is_stale_since_then() -> None:
    at = Book(checklist(on_robot()))
    at.see(engine="two")
    rested(at, engine="one")
    assert (at.item("a").state, at.item("a").since_wall_ns) == ("stale", at.now_ns)


def test_what_a_look_leaves_out_is_as_it_was() -> None:
    """Files are seen without the robot: that must not make forget how the robot was."""
    at = Book(checklist(on_robot()))
    at.see(engine="two")
    at.see(**{"file_runs.csv": DIGEST_A})
    rested(at, engine="one")
    assert at.item("a").state == "stale"
    assert at.state().fingerprints == {"engine": "two", "file:runs.csv": DIGEST_A}


# ------------------------------------------------------------ bundle


def test_another_campaign_bundle_makes_stale_what_rested_on_the_old() -> None:
    at = Book(checklist(sensed("a"), sensed("b"), confirmed("c")))
    rested(at, "a", bundle=BUNDLE_A)
    rested(at, "b")
    at.say("c", fingerprints={"bundle": BUNDLE_A})
    at.revise(bundle=BUNDLE_A)
    assert [one.state for one in at.state().items()] == ["pass", "pass", "pass"]
    at.revise(bundle=BUNDLE_B)
    assert [(one.state, one.reason) for one in at.state().items()] == [
        ("stale", "bundle 3f2a -> 91bc"),
        ("pass", "it is well"),
        ("stale", "bundle 3f2a -> 91bc"),
    ]


def test_another_bundle_on_the_robot_makes_stale_what_was_seen_there_and_no_file_on_the_laptop() -> None:
    at = Book(checklist(on_robot("a"), sensed("b")))
    rested(at, "a", bundle=BUNDLE_A)
    rested(at, "b", bundle=BUNDLE_A)
    at.see(bundle=BUNDLE_A)
    assert at.item("a").state == "pass"
    at.see(bundle=BUNDLE_B)
    assert [one.state for one in at.state().items()] == ["stale", "pass"]
    assert at.item("a").reason == "bundle 3f2a -> 91bc"


def test_a_campaign_about_no_bundle_does_not_mind_which_one_runs() -> None:
    at = Book(checklist(on_robot()), bundle="")
    rested(at, bundle="")
    at.see(bundle=BUNDLE_B)
    assert at.item("a").state == "pass"


# ------------------------------------------------------------ rule and time


def test_another_rule_makes_stale_and_another_title_does_not() -> None:
    at = Book(checklist(sensed("a"), sensed("b")))
    at.look("a")
    at.look("b")
    at.revise(goes_by=checklist(sensed("a", title="better words"), sensed("b", hold="5 s")))
    found = at.item("b")
    assert at.item("a").state == "pass"
    assert (found.state, found.since_wall_ns) == ("stale", at.now_ns)
    assert found.reason.startswith("checklist rule ")


def test_a_pass_ends_with_its_time() -> None:
    at = Book(checklist(sensed("a", valid_for="30 d"), sensed("b")))
    at.look("b")
    at.look("a")
    ends_s = 30 * 86_400.0
    assert at.item("a", later_s=ends_s - 1).state == "pass"
    found = at.item("a", later_s=ends_s)
    assert (found.state, found.reason, found.since_wall_ns) == ("stale", "older than 30 d", at.now_ns + 30 * DAY_NS)
    assert found.since_wall_ns == found.expires_wall_ns
    assert at.item("b", later_s=100 * ends_s).state == "pass"


@pytest.mark.parametrize(("paper_s", "state"), [(-3600, "stale"), (-1800, "pass"), (+3600, "pass")])
def test_what_was_on_paper_is_as_old_as_the_paper(paper_s: int, state: str) -> None:
    from datetime import datetime, timezone

    at = Book(checklist(confirmed("c", valid_for="1 h"), sensed("m", kind="measured", valid_for="1 h")))
    written = datetime.fromtimestamp(START_NS / SECOND_NS + paper_s, timezone.utc).isoformat()
    at.say("c", transcribed=Transcribed("bo", written))
    at.look("m", details={"transcribed_by": "bo", "transcribed_at": written})
    assert [one.state for one in at.state().items()] == [state, state]


@pytest.mark.parametrize("paper", ["", "last Tuesday", "9999-99-99", "2027"])
def test_a_paper_without_a_date_counts_from_when_it_was_typed_in(paper: str) -> None:
    at = Book(checklist(confirmed("c", valid_for="1 h")))
    at.say("c", transcribed=Transcribed("bo", paper))
    assert at.item("c").state == "pass"


def test_several_reasons_are_all_said() -> None:
    at = Book(checklist(on_robot(valid_for="1 d")))
    rested(at, engine="one", bundle=BUNDLE_A)
    at.see(engine="two")
    at.revise(bundle=BUNDLE_B)
    since = at.now_ns - SECOND_NS
    found = at.item("a", later_s=86_400)
    assert found.reason == "bundle 3f2a -> 91bc; engine one -> two; older than 1 d"
    assert found.since_wall_ns == since


def test_a_witnessed_item_is_as_old_as_what_was_witnessed() -> None:
    at = Book(checklist(witnessed("w", valid_for="1 d", rests_on=("engine",))))
    at.say("w", fingerprints={"engine": "one"})
    at.now_ns += DAY_NS // 2
    at.say("w", person="bo", meaning="witnessed", fingerprints={"engine": "two"})
    assert at.item("w").state == "pass"
    at.see(engine="two")
    assert at.item("w").reason == "engine one -> two"
    assert at.item("w", later_s=86_400 // 2).reason == "engine one -> two; older than 1 d"


# ------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (DIGEST_A, DIGEST_B, "engine a1b2 -> c3d4"),
        ("a1b2c" + "0" * 59, "a1b2d" + "0" * 59, "engine a1b2c -> a1b2d"),
        ("", "x", "engine unknown -> x"),
        ("y" * 40, "a" * 15, "engine " + "y" * 40 + " -> " + "a" * 15),
        ("a" * 16, "x", "engine aaaa -> x"),
        ("y" * 60, "x", "engine " + "y" * 37 + "... -> x"),
        (DIGEST_A, "gone", "engine a1b2 -> gone"),
    ],
)
def test_a_difference_is_short_and_tells_apart(old: str, new: str, said: str) -> None:
    assert difference("engine", old, new) == said
