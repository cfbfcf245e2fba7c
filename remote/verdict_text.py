"""A validation's result for people (a table) and for continuous-integration servers (JUnit XML); both ends use it."""

from __future__ import annotations

import os
import re
import shutil
import textwrap
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from remote.atomic import write_atomically
from remote.errors import Trouble
from remote.verdicts import Check, ValidationReport, Verdict

EXIT: dict[Verdict, int] = {"pass": 0, "fail": 3, "inconclusive": 7, "skipped": 7}
"""What a command that validated ends with. Where nothing at all was looked at, nothing has passed."""
_WORDS: dict[Verdict, str] = {"pass": "PASS", "fail": "FAIL", "inconclusive": "INCONCLUSIVE", "skipped": "SKIPPED"}
# What XML 1.0 can't hold, other control characters, and what turns the direction of text around.
_REFUSED = re.compile(
    "[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]"
)


_JUNIT_CURE = "Give --junit a path that can be written"
_UNKNOWN_WIDTH, _LEAST_WIDTH = 100, 40
_INDENT = 35


def terminal_width() -> int:
    """Columns of the terminal; 100 where there is none (COLUMNS says otherwise), 40 at least."""
    return max(_LEAST_WIDTH, shutil.get_terminal_size((_UNKNOWN_WIDTH, 24)).columns)


def wrapped(line: str, width: int, *, indent: int = 2) -> list[str]:
    """The line as lines of at most `width`, those after the first moved in; its own spaces stay."""
    lead = line[: len(line) - len(line.lstrip())]
    found = textwrap.wrap(
        line.strip(),
        width,
        initial_indent=lead,
        subsequent_indent=" " * min(indent, width // 2),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return found or [""]


def report_text(report: ValidationReport, width: int | None = None) -> str:
    """What each check found, then the verdict; ends with a newline and holds no control characters.

    With a `width` (of the terminal) sentences go on in further lines; without, each check is one line.
    """
    head = f"{report.name} {report.digest[:12]}, profile {report.profile}"
    head += f", {report.engine}" if report.engine else ""
    facts = [report.words[name] for name in ("model", "power_mode", "l4t", "tensorrt") if report.words.get(name)]
    lines = [head, *([", ".join(facts)] if facts else [])]
    lines += [f"{_WORDS[check.verdict]:<12}  {check.name:<19}  {check.text}" for check in report.checks]
    lines = [clean(line) for line in (*lines, f"{_WORDS[report.verdict]:<12}  {_summed(report)}")]
    if width is not None:
        lines = [part for line in lines for part in wrapped(line, width, indent=_INDENT)]
    return "\n".join(lines) + "\n"


def junit_xml(report: ValidationReport) -> str:
    """One testcase a check: `failure` where it failed, `error` where it decided nothing, `skipped` with its reason."""
    counts = {verdict: sum(check.verdict == verdict for check in report.checks) for verdict in _WORDS}
    totals = {
        "tests": str(len(report.checks)),
        "failures": str(counts["fail"]),
        "errors": str(counts["inconclusive"]),
        "skipped": str(counts["skipped"]),
    }
    root = Element("testsuites", {"name": "fieldgate model validate", **totals})
    suite = SubElement(root, "testsuite", {"name": clean(f"{report.name} {report.profile}"), **totals})
    about = {"digest": report.digest, "engine": report.engine, "verdict": report.verdict, **report.words}
    _properties(suite, about)
    for check in report.checks:
        _testcase(suite, check, report.profile)
    indent(root)
    return tostring(root, encoding="unicode") + "\n"


def refuse_unwritable(path: Path) -> None:
    """Raise Trouble (code `not_written`) where `write_junit` could not write: minutes of runs before it would be lost."""
    if path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        why = "it is a folder" if path.is_dir() else f"{path.parent} is no folder that can be written"
        raise Trouble(f"{path} can't be written: {why}", cure=_JUNIT_CURE, code="not_written")


def write_junit(path: Path, report: ValidationReport) -> None:
    """Write it there, whole or not at all. Raises Trouble (code `not_written`)."""
    try:
        write_atomically(path, junit_xml(report).encode(), 0o644)
    except OSError as error:
        raise Trouble(f"{path} can't be written: {error.strerror}", cure=_JUNIT_CURE, code="not_written") from error


def limits_of(words: tuple[str, ...]) -> dict[str, float]:
    """`NAME=NUMBER` words as a mapping. Raises Trouble (code `bad_limit`)."""
    found = {}
    for word in words:
        name, _, number = word.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            cure = "write it like engine_p99_ms=20"
            raise Trouble(f"--limit {word[:80]!r} is not NAME=NUMBER", cure=cure, code="bad_limit") from None
    return found


def clean(text: str) -> str:
    """The text without control characters, lone surrogates and marks that turn its direction around, on one line."""
    return " ".join(_REFUSED.sub("", text).splitlines())


def _testcase(suite: Element, check: Check, profile: str) -> None:
    case = SubElement(suite, "testcase", {"classname": clean(f"validation.{profile}"), "name": clean(check.name)})
    numbers = {name: getattr(check, name) for name in ("value", "bound", "limit", "n")}
    _properties(
        case, {**{name: f"{value:.17g}" for name, value in numbers.items() if value is not None}, "unit": check.unit}
    )
    if check.verdict != "pass":
        tag = {"fail": "failure", "inconclusive": "error", "skipped": "skipped"}[check.verdict]
        SubElement(case, tag, {"message": clean(check.text)})


def _properties(parent: Element, pairs: dict[str, str]) -> None:
    properties = SubElement(parent, "properties")
    for name, value in pairs.items():
        if value:
            SubElement(properties, "property", {"name": clean(name), "value": clean(value)})


def _summed(report: ValidationReport) -> str:
    counts = {verdict: sum(check.verdict == verdict for check in report.checks) for verdict in _WORDS}
    return ", ".join(f"{count} {_WORDS[verdict].lower()}" for verdict, count in counts.items() if count)
