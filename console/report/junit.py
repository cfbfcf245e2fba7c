"""A run of `fieldgate check` as JUnit XML, as continuous-integration servers read it."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from console.campaigns.checked import CheckedItem, CheckReport

# What XML 1.0 can't hold, every other control character, and what turns the direction of text around.
_REFUSED = re.compile(
    "[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]"
)
_NUMBERS = ("value", "lower", "upper", "threshold", "n", "successes", "more")
_WORDS = ("state", "metric", "statistic", "comparison", "unit", "measured", "limit", "probe", "seq")


def clean(text: str) -> str:
    """The text without control characters, lone surrogates and marks that turn its direction around."""
    return _REFUSED.sub("", text)


def junit_xml(report: CheckReport) -> str:
    """One testcase an item: `failure` where it failed, `error` where it could not be decided, `skipped` where it is a person's
    to say or does not apply; its numbers as properties."""
    counts = report.counts
    totals = {
        "tests": str(len(report.items)),
        "failures": str(counts["fail"]),
        "errors": str(counts["undecided"]),
        "skipped": str(counts["skipped"]),
        "time": f"{sum(item.took_ms or 0.0 for item in report.items) / 1000:.3f}",
    }
    root = Element("testsuites", {"name": "fieldgate check", **totals})
    name = f"{report.robot} {report.campaign or report.pack}"
    suite = SubElement(root, "testsuite", {"name": clean(name), "timestamp": report.began.removesuffix("Z"), **totals})
    _properties(
        suite,
        {
            "robot": report.robot,
            "campaign": report.campaign or "",
            "pack": report.pack,
            "revision": report.revision,
            "bundle": report.bundle,
            "software": report.software,
            "exit": str(report.exit),
        },
    )
    for item in report.items:
        _testcase(suite, item, report)
    if report.trouble is not None:
        SubElement(suite, "system-err").text = clean(f"{report.trouble.what}\n{report.trouble.cure}".strip())
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _testcase(suite: Element, item: CheckedItem, report: CheckReport) -> None:
    named = {"classname": clean(f"{report.pack}.{item.stage}"), "name": item.id}
    case = SubElement(suite, "testcase", {**named, "time": f"{(item.took_ms or 0.0) / 1000:.3f}"})
    numbers = {name: f"{value:.17g}" for name in _NUMBERS if (value := getattr(item, name)) is not None}
    words = {name: str(value) for name in _WORDS if (value := getattr(item, name)) not in (None, "")}
    _properties(case, {"title": item.title, **words, **numbers})
    if item.outcome == "pass":
        return
    tag = {"fail": "failure", "undecided": "error", "skipped": "skipped"}[item.outcome]
    end = SubElement(case, tag, {"message": clean(item.why)})
    if item.outcome != "skipped":
        end.set("type", item.state)
        end.text = clean("\n".join(part for part in (f"{item.title}: {item.why}", item.cure) if part))


def _properties(parent: Element, pairs: dict[str, str]) -> None:
    properties = SubElement(parent, "properties")
    for name, value in pairs.items():
        SubElement(properties, "property", {"name": name, "value": clean(value)})
