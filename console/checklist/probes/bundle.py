"""`bundle_integrity`: the robot itself verifies, loads, warms up and runs the campaign's bundle."""

from __future__ import annotations

from typing import Annotated

import msgspec

from console.checklist.probes import Finding, Sight
from console.fieldtest.criteria import Answer
from console.visiting import confirmed
from remote.errors import Trouble
from remote.protocol import BundleReport, CheckBundle

FAULTS = frozenset(
    {
        "unknown_bundle",
        "bundle_missing",
        "bundle_incomplete",
        "bundle_changed",
        "manifest_invalid",
        "contract_invalid",
        "model_unreadable",
        "model_mismatch",
        "inference_error",
        "bad_output",
        "engine_missing",
        "check_crashed",
    }
)
"""Codes that speak of the bundle on this robot; with any other one the check was not made."""
_GRACE_S = 5.0


class IntegrityParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`timeout_s`: how long the answer is waited for; the robot itself gives a check up after 120 s."""

    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=600)] = 130.0


def look_at_integrity(sight: Sight, parameters: IntegrityParameters) -> Finding:
    """An Answer to `bundle_intact`, with the engine and its times.

    It does not hold where the bundle is missing, a file was changed, or the engine can't run it with finite output. Raises
    Trouble where the check could not be made (the link, another check, an agent that is too old).
    """
    if sight.session is None:
        return Finding(unavailable="it needs the robot", cure="look again with the robot connected")
    if not sight.bundle:
        return Finding(unavailable="this campaign names no bundle", cure="begin a campaign with --bundle")
    try:
        question = CheckBundle(sight.bundle)
        answer = sight.session.request(question, timeout_s=parameters.timeout_s)
        report = confirmed(answer, parameters.timeout_s + _GRACE_S).bundle_report
    except Trouble as trouble:
        if trouble.code not in FAULTS:
            raise
        words = f"{trouble.what} - {trouble.cure}" if trouble.cure else trouble.what
        return Finding(measurement=Answer(holds=False, words=words), details={"fault": trouble.code})
    if report is None:
        return Finding(unavailable="the agent answered without a report", cure="deploy it again: `fieldgate deploy`")
    return _told(report, sight.bundle)


def _told(report: BundleReport, wanted: str) -> Finding:
    words = (
        f"{report.name} {report.digest[:12]} is intact and runs on {report.engine}: "
        f"p50 {report.inference_p50_ms:.2f} ms, max {report.inference_max_ms:.2f} ms, n {report.runs}"
    )
    right = report.digest == wanted
    answer = Answer(holds=right, words=words if right else f"the robot checked {report.digest[:12]}, not {wanted[:12]}")
    return Finding(
        measurement=answer,
        details={
            "engine": report.engine,
            "inference_p50_ms": report.inference_p50_ms,
            "inference_max_ms": report.inference_max_ms,
            "runs": report.runs,
            "model_bytes": report.model_bytes,
        },
    )
