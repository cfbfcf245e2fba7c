"""JUnit XML: a job's server must read every result, whatever a pack or a robot wrote into it."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.campaigns.checked import CheckedItem, CheckedTrouble, CheckReport, counts_of
from console.report.junit import clean, junit_xml

HOSTILE = 'a <b> & "c" \x00\x1b[31mred\x1b[0m \ud800 \x85 \u202egnp.exe\u2066 ]]> \ufffe end'


def item(id: str = "latency", **other: Any) -> CheckedItem:
    given: dict[str, Any] = {"title": "Fast", "stage": "bench", "kind": "sensed", "state": "pass", "outcome": "pass"}
    return CheckedItem(id=id, **{**given, **other})


def report(*items: CheckedItem, **other: Any) -> CheckReport:
    given: dict[str, Any] = {
        "software": "fieldgate 0",
        "robot": "orin",
        "campaign": "c1",
        "pack": "grasping",
        "revision": "r",
        "bundle": "b",
        "began": "2026-03-31T12:00:00Z",
        "ended": "2026-03-31T12:01:00Z",
        "exit": 0,
    }
    return CheckReport(items=items, counts=counts_of(items), **{**given, **other})


def read(made: CheckReport) -> ElementTree.Element:
    return ElementTree.fromstring(junit_xml(made))


def properties(case: ElementTree.Element) -> dict[str, str]:
    return {one.attrib["name"]: one.attrib["value"] for one in case.iter("property")}


def test_each_outcome_has_its_element() -> None:
    made = report(
        item("a", took_ms=1500.0),
        item("b", state="marginal"),
        item("c", state="fail", outcome="fail", why="too slow", cure="be quick"),
        item("d", state="unavailable", outcome="undecided", why="no camera"),
        item("e", state="pending", outcome="skipped", why="a person vouches for it"),
    )
    suite = read(made).find("testsuite")
    assert suite is not None
    assert {name: suite.attrib[name] for name in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "5",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
        "time": "1.500",
    }
    cases = {case.attrib["name"]: case for case in suite.iter("testcase")}
    below = {name: [one.tag for one in case if one.tag != "properties"] for name, case in cases.items()}
    assert below == {"a": [], "b": [], "c": ["failure"], "d": ["error"], "e": ["skipped"]}
    failure = cases["c"].find("failure")
    assert failure is not None
    assert (failure.attrib["message"], failure.attrib["type"], failure.text) == (
        "too slow",
        "fail",
        "Fast: too slow\nbe quick",
    )
    skipped = cases["e"].find("skipped")
    assert skipped is not None
    assert skipped.attrib == {"message": "a person vouches for it"}
    assert cases["a"].attrib["classname"] == "grasping.bench"


def test_numbers_are_properties_to_the_last_digit() -> None:
    made = item(
        value=86.66666666666667, lower=0.0, threshold=70.0, n=60, successes=52, unit="%", metric="success_rate", seq=7
    )
    found = properties(next(read(report(made)).iter("testcase")))
    assert {name: float(found[name]) for name in ("value", "lower", "threshold", "n", "successes")} == {
        "value": 86.66666666666667,
        "lower": 0.0,
        "threshold": 70.0,
        "n": 60.0,
        "successes": 52.0,
    }
    assert (found["unit"], found["metric"], found["seq"]) == ("%", "success_rate", "7")
    assert "upper" not in found
    assert "more" not in found


def test_why_the_robot_was_away_stands_in_it() -> None:
    made = report(item(), trouble=CheckedTrouble("unreachable", "no route", "plug it in"), exit=4)
    told = read(made).find("testsuite/system-err")
    assert told is not None
    assert told.text == "no route\nplug it in"
    assert read(report(item())).find("testsuite/system-err") is None


def test_hostile_text_is_escaped_and_its_control_characters_removed() -> None:
    made = report(item(title=HOSTILE, state="fail", outcome="fail", why=HOSTILE, cure=HOSTILE), robot=HOSTILE)
    failure = next(read(made).iter("failure"))
    assert failure.attrib["message"] == 'a <b> & "c" [31mred[0m   gnp.exe ]]>  end'
    text = junit_xml(made)
    assert not set("\x00\x1b\x85\u202e\u2066\ud800\ufffe") & set(text)
    text.encode()


@settings(deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_any_text_makes_xml_that_can_be_read(text: str) -> None:
    made = report(item(title=text, why=text, cure=text, state="fail", outcome="fail"), pack=text)
    found = properties(next(read(made).iter("testcase")))
    assert found["title"].split() == clean(text).split()
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize("text", ["Temperatur 40 °C", "漢字 ✔ 😀", "tab\tand\nline"])
def test_ordinary_text_of_every_language_stays(text: str) -> None:
    assert clean(text) == text
