"""The suite: every check over one bundle on this machine, in order, each with its answer. Nothing is judged here."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from remote.errors import Trouble
from remote.manifest import MANIFEST, digest_of
from remote.models.validation import results
from remote.models.validation.machine import Machine, power_mode, right_machine
from remote.models.validation.onnx_opset import read_opset
from remote.models.validation.plan import Plan
from remote.models.validation.profiles import Profile, profile_of
from remote.protocol import Constraints
from remote.verdicts import Check, ValidationReport, Verdict, overall

if TYPE_CHECKING:
    from remote.models.bundle import AnyBundle
    from remote.models.validation.frames import Named

Say = Callable[[str], None]
Times = tuple[int, int]
"""Monotonic and wall nanoseconds."""


class Found(msgspec.Struct, frozen=True):
    """What the checks that need an engine found: its name, and their answers."""

    engine: str
    checks: tuple[Check, ...]


def validate(
    plan: Plan,
    *,
    say: Say = lambda text: None,
    machine: Machine | None = None,
    clock: Callable[[], int] = time.monotonic_ns,
    wall: Callable[[], int] = time.time_ns,
) -> ValidationReport:
    """Run every check. What can't be run after a check failed is skipped with that reason.

    Raises Trouble for what is no bundle's fault: an unknown profile or limit, a folder that is none, a table that is none.
    """
    from remote.models.bundle import load_any_bundle

    profile, folder, here = profile_of(plan.profile, plan.limits), Path(plan.folder), machine or Machine()
    checks = [right_machine(profile, here.board), power_mode(profile, here.power_mode)]
    real = _recorded(plan)
    engine, digest, name = "", _digest(folder), folder.name
    tables = _tables(plan, profile, digest)  # a table that is none stops here, not after all the runs
    say("reading every file of the bundle")
    try:
        bundle = load_any_bundle(folder)
    except Trouble as trouble:
        if trouble.code == "bundle_missing":
            raise
        checks += [_fail("bundle_intact", trouble), *_skipped("the bundle is not whole")]
    else:
        name = bundle.contract.name
        checks += [_intact(bundle), _opset(bundle), makers_measurements(bundle.path)]
        found = _with_engine(bundle, real, plan, profile, here, say, clock)
        engine, checks = found.engine, [*checks, *found.checks]
    checks += tables
    return ValidationReport(
        profile=plan.profile,
        digest=digest,
        name=name,
        engine=engine,
        verdict=overall(checks),
        checks=tuple(checks),
        words=_words(here, plan),
        boot_id=_boot_id(),
        mono_ns=clock(),
        wall_ns=wall(),
    )


ENGINE_CHECKS = (
    "model_loads",
    "parity",
    "latency_engine",
    "latency_pipeline",
    "latency_under_load",
    "thermal",
    "safety_outputs",
    "safety_hostile",
)


def _with_engine(
    bundle: AnyBundle,
    real: tuple[Named, ...],
    plan: Plan,
    profile: Profile,
    here: Machine,
    say: Say,
    clock: Callable[[], int],
) -> Found:
    from remote.models.bundle import Bundle
    from remote.models.validation.detectors import check_detector
    from remote.models.validation.policies import check_policy

    try:
        if isinstance(bundle, Bundle):
            constraints = _constrained(profile, plan.constraints)
            return check_detector(bundle, plan, real, constraints, profile, here, say, clock)
        return check_policy(bundle, plan, profile, here, say, clock)
    except Trouble as trouble:
        rest = tuple(one for one in _skipped("the model does not load") if one.name != "model_loads")
        return Found("", (_fail("model_loads", trouble), *rest))


def _constrained(profile: Profile, told: Constraints) -> Constraints:
    """The stricter of each: the profile's (or what this run was given) and the robot's own, where it has some."""
    boxes = [one for one in (profile.max_boxes, told.max_boxes) if one is not None]
    least = [one for one in (profile.min_box_share, told.min_box_share) if one is not None]
    most = [one for one in (profile.max_box_share, told.max_box_share) if one is not None]
    return Constraints(
        max_boxes=min(boxes, default=None),
        min_box_share=max(least, default=None),
        max_box_share=min(most, default=None),
    )


def _intact(bundle: AnyBundle) -> Check:
    text = f"{bundle.contract.name} {bundle.digest[:12]}: every file is the manifest's"
    return Check(name="bundle_intact", verdict="pass", text=text)


def _opset(bundle: AnyBundle) -> Check:
    """Whether the file says the opset that its maker read back from it."""
    from remote.models.provenance import read_provenance

    said = read_opset(bundle.model)
    try:
        provenance = read_provenance(bundle.path)
    except Trouble as trouble:
        return _fail("opset", trouble)
    if said is None:
        return Check(name="opset", verdict="fail", text="model.onnx does not say its opset")
    if provenance is None:
        text = f"the file says opset {said}; the bundle has no provenance.json to compare it with"
        return Check(name="opset", verdict="skipped", text=text, value=float(said))
    text = f"the file says opset {said}, provenance.json {provenance.opset}"
    right = said == provenance.opset
    return Check(
        name="opset", verdict="pass" if right else "fail", text=text, value=float(said), limit=float(provenance.opset)
    )


def makers_measurements(folder: Path) -> Check:
    """What was measured where the bundle was made: what failed there is no less wrong for being the same here.

    Parity with golden samples can't show it: their tolerance was made from the loss itself.
    """
    from remote.models.provenance import read_provenance

    name = "makers_measurements"
    try:
        provenance = read_provenance(folder)
    except Trouble as trouble:
        return _fail(name, trouble)
    if provenance is None or not provenance.measured:
        return Check(name=name, verdict="skipped", text="the bundle does not say what was measured when it was made")
    measured = provenance.measured
    failed = [one for one in measured if one.verdict == "fail"]
    undecided = [one for one in measured if one.verdict == "inconclusive"]

    def check(verdict: Verdict, text: str) -> Check:
        count, of = float(len(failed)), len(measured)
        return Check(name=name, verdict=verdict, text=text, value=count, limit=0.0, unit="checks", n=of)

    if failed:
        told = "; ".join(f"{one.name}: {one.text}" for one in failed)
        return check("fail", f"failed when it was made ({provenance.step}): {told}")
    if undecided:
        told = "; ".join(f"{one.name}: {one.text}" for one in undecided)
        return check("skipped", f"decided nothing when it was made ({provenance.step}): {told}")
    passed = sum(one.verdict == "pass" for one in measured)
    return check("pass", f"{passed} passed when it was made ({provenance.step})")


def _tables(plan: Plan, profile: Profile, digest: str) -> list[Check]:
    rows = (
        ("simulation_success", plan.simulation, profile.simulation_percent),
        ("hil_success", plan.hil, profile.hil_percent),
    )
    made = []
    for name, table, limit in rows:
        made.append(
            results.judged_rate(name, *results.count(Path(table), digest), limit)
            if table
            else results.no_table(name, limit)
        )
    return made


def _recorded(plan: Plan) -> tuple[Named, ...]:
    if not plan.pictures:
        return ()
    from remote.models.validation.frames import recorded

    return recorded(Path(plan.pictures))


def _skipped(why: str) -> tuple[Check, ...]:
    return tuple(Check(name=name, verdict="skipped", text=why) for name in ENGINE_CHECKS)


def _fail(name: str, trouble: Trouble) -> Check:
    return Check(name=name, verdict="fail", text=f"{trouble.what}; {trouble.cure}" if trouble.cure else trouble.what)


def _words(here: Machine, plan: Plan) -> dict[str, str]:
    words = dict(here.words)
    words |= {"power_mode": here.power_mode} if here.power_mode else {}
    words |= {"beside": plan.beside} if plan.beside else {}
    return {**words, "threads": str(plan.threads)}


def _digest(folder: Path) -> str:
    try:
        return digest_of((folder / MANIFEST).read_bytes())
    except OSError:
        return ""


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
