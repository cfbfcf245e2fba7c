"""`model_validation`: the robot itself runs the validation suite on the campaign's bundle; tables of results are read here."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import msgspec

from console.checklist.probes import Finding, Sight
from console.checklist.probes.results import TableParameters, look_at_results
from console.fieldtest.binomial import lower_bound, upper_bound
from console.fieldtest.criteria import Answer, Estimate, Rate
from console.link.session import Session
from console.visiting import confirmed
from remote.errors import Trouble
from remote.protocol import GetFacts, Scalar, Validate
from remote.verdicts import Check, ProfileName, ValidationReport, overall, profile_of_machine

FAULTS = frozenset({"unknown_bundle", "bundle_missing", "validation_crashed"})
"""Codes that speak of the bundle on this robot; with any other one nothing was validated."""
CONFIDENCE = 0.95
_GRACE_S = 5.0
FACTS_S = 60.0
_OF_MEASURE = {
    "validated_engine_p99_ms": "latency_engine",
    "validated_pipeline_p99_ms": "latency_pipeline",
    "validated_loaded_p99_ms": "latency_under_load",
}
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
File = Annotated[str, msgspec.Meta(max_length=1000)]


class ValidationParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`profile` and `limits` (instead of the profile's, by name), as docs/validation.md lists them.

    measure: the verdict of all checks (`model_validated`, an answer), or one 99th percentile for a criterion to judge.
    runs: of each kind of timing; fewer than 299 decide nothing.
    require: checks that must have been made; one of them that was skipped makes the whole unavailable.
    simulation, hil: tables of results with a column `success` (CSV, JSON, Parquet), in the campaign's files folder.
    timeout_s: how long the answer is waited for; the robot itself gives building an engine up after 3600 s, a run after 900 s.
    """

    profile: ProfileName = "jetson"
    limits: dict[Name, float] = {}
    measure: Literal[
        "model_validated", "validated_engine_p99_ms", "validated_pipeline_p99_ms", "validated_loaded_p99_ms"
    ] = "model_validated"
    runs: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 299
    require: tuple[Name, ...] = ("model_loads", "latency_engine", "safety_hostile")
    simulation: File = ""
    hil: File = ""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=7200)] = 4600.0


def look_at_validation(sight: Sight, parameters: ValidationParameters) -> Finding:
    """An Answer to `model_validated`, or an Estimate of one 99th percentile with its bound.

    It does not hold where a check failed; where one decided nothing, or a required one was skipped, the whole is unavailable
    with that reason. Raises Trouble where the suite could not be run, or a table can't be trusted.
    """
    if sight.session is None:
        return Finding(unavailable="it needs the robot", cure="look again with the robot connected")
    if not sight.bundle:
        return Finding(unavailable="this campaign names no bundle", cure="begin a campaign with --bundle")
    try:
        report = ask(sight.session, _command(sight.bundle, parameters), parameters.timeout_s)
    except Trouble as trouble:
        if trouble.code not in FAULTS:
            raise
        words = f"{trouble.what} - {trouble.cure}" if trouble.cure else trouble.what
        return Finding(measurement=Answer(holds=False, words=words), details={"fault": trouble.code})
    report, tables = with_tables(report, sight, simulation=parameters.simulation, hil=parameters.hil)
    found = _judged(report, sight.bundle, parameters)
    prints = {name: value for one in tables for name, value in one.fingerprints.items()}
    files = tuple(file for one in tables for file in one.files)
    return msgspec.structs.replace(found, fingerprints=prints, files=files)


def own_profile(session: Session) -> ProfileName:
    """The profile of the robot itself, by its facts. Raises Trouble as the link does."""
    facts = confirmed(session.request(GetFacts(), timeout_s=FACTS_S), FACTS_S + _GRACE_S).facts
    return profile_of_machine(facts.words if facts is not None else {})


def ask(session: Session, command: Validate, timeout_s: float) -> ValidationReport:
    """What the suite found on the robot. Raises Trouble: the agent's refusal, the link's, or `too_old`."""
    report = confirmed(session.request(command, timeout_s=timeout_s), timeout_s + _GRACE_S).validation
    if report is None:
        cure = f"run `fieldgate deploy {session.snapshot.robot}`"
        raise Trouble("the agent answered without a report", cure=cure, code="too_old")
    return report


def with_tables(
    report: ValidationReport, sight: Sight, *, simulation: str = "", hil: str = ""
) -> tuple[ValidationReport, tuple[Finding, ...]]:
    """The report with the success of trials judged by these tables (empty: as it was), and what was found in them.

    The limits are those that the report says. Raises Trouble for a table that can't be trusted whole.
    """
    given = {"simulation_success": simulation, "hil_success": hil}
    checks, findings = [], []
    for check in report.checks:
        if file := given.get(check.name):
            found = look_at_results(sight, TableParameters(file=file))
            findings.append(found)
            check = _of_trials(check, found)
        checks.append(check)
    told = msgspec.structs.replace(report, checks=tuple(checks), verdict=overall(checks))
    return told, tuple(findings)


def _command(bundle: str, parameters: ValidationParameters) -> Validate:
    return Validate(bundle, parameters.profile, parameters.runs, dict(parameters.limits))


def _of_trials(check: Check, found: Finding) -> Check:
    """The check judged by exact bounds: passed where the true rate exceeds the limit, failed where it lies below."""
    rate, limit = found.measurement, check.limit
    assert isinstance(rate, Rate)  # look_at_results gives nothing else
    if limit is None:
        raise Trouble(
            f"the robot says no limit for {check.name}", cure="update it with `fieldgate deploy`", code="too_old"
        )
    lower = 100 * lower_bound(rate.successes, rate.n, CONFIDENCE)
    upper = 100 * upper_bound(rate.successes, rate.n, CONFIDENCE)
    verdict = "pass" if lower > limit else "fail" if upper < limit else "inconclusive"
    text = f"{rate.successes} of {rate.n} succeeded, with 95 % confidence more than {lower:.1f} %, limit {limit:g} %"
    return msgspec.structs.replace(
        check,
        verdict=verdict,
        text=f"{text}; more trials decide" if verdict == "inconclusive" else text,
        value=round(100 * rate.successes / rate.n, 4),
        bound=round(lower, 4),
        n=rate.n,
    )


def _judged(report: ValidationReport, wanted: str, parameters: ValidationParameters) -> Finding:
    details = _details(report)
    if report.digest != wanted:
        words = f"the robot validated {report.digest[:12]}, not {wanted[:12]}"
        return Finding(measurement=Answer(holds=False, words=words), details=details)
    if parameters.measure != "model_validated":
        return _number(report, parameters.measure, details)
    checks = {check.name: check for check in report.checks}
    failed = [check for check in report.checks if check.verdict == "fail"]
    if failed:
        words = "; ".join(f"{check.name}: {check.text}" for check in failed)
        return Finding(measurement=Answer(holds=False, words=words), details=details)
    undecided = [check for check in report.checks if check.verdict == "inconclusive"]
    lacking = [name for name in parameters.require if name not in checks or checks[name].verdict == "skipped"]
    if undecided:
        why = "; ".join(f"{check.name}: {check.text}" for check in undecided)
        return Finding(unavailable=f"it decided nothing: {why}", cure="see docs/validation.md", details=details)
    if lacking:
        said = checks[lacking[0]].text if lacking[0] in checks else "this robot's agent does not know it"
        why = f"{lacking[0]} was not made: {said}"
        return Finding(unavailable=why, cure="give what it needs, or take it out of `require`", details=details)
    passed = sum(check.verdict == "pass" for check in report.checks)
    words = f"{report.name} {report.digest[:12]} passed {passed} checks of profile {report.profile} on {report.engine}"
    return Finding(measurement=Answer(holds=True, words=words), details=details)


def _number(report: ValidationReport, measure: str, details: dict[str, Scalar]) -> Finding:
    check = next((one for one in report.checks if one.name == _OF_MEASURE[measure]), None)
    if check is None or check.value is None or check.n is None:
        said = check.text if check is not None else "this robot's agent does not know it"
        return Finding(unavailable=said, cure="see the other checks", details=details)
    if check.verdict == "inconclusive":
        return Finding(unavailable=check.text, cure="see docs/validation.md", details=details)
    method = "order statistic of the 99th percentile"
    estimate = Estimate(
        value=check.value,
        # Failed means: above the limit with this confidence. So what comes after the limit is a lower bound.
        lower=math.nextafter(check.limit, math.inf) if check.verdict == "fail" and check.limit is not None else None,
        upper=check.bound,
        confidence=CONFIDENCE,
        method=method,
        unit="ms",
        n=check.n,
        of="runs",
    )
    return Finding(measurement=estimate, details=details)


def _details(report: ValidationReport) -> dict[str, Scalar]:
    """Every check's verdict and numbers, and what ran it."""
    told: dict[str, Scalar] = {"engine": report.engine, "profile": report.profile}
    for check in report.checks:
        told[check.name] = check.verdict
        numbers = {"value": check.value, "bound": check.bound, "limit": check.limit, "n": check.n}
        told |= {f"{check.name}_{name}": value for name, value in numbers.items() if value is not None}
    return told
