"""The checks that run a policy: loading, parity, times, heat, limits of its actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remote.errors import Trouble
from remote.models.bundle import PolicyBundle
from remote.models.contract import ObservationContract, PolicyContract
from remote.models.golden import Golden, read_golden
from remote.models.policy import Policy
from remote.models.provenance import Tolerance, read_provenance
from remote.models.validation import latency
from remote.models.validation.machine import Machine, slowed_down, thermal
from remote.models.validation.parity import differences
from remote.models.validation.parity import judged as judged_parity
from remote.models.validation.plan import Plan
from remote.models.validation.profiles import Profile
from remote.models.validation.suite import Found, Say
from remote.perception.engines.onnx_runtime import open_session
from remote.verdicts import Check

Observation = dict[str, NDArray[Any]]
_SEED = 20260331
_EDGE = 1e-4
"""An action may lie so far outside of its limits, as a share of their span: what float32 rounds."""


def check_policy(
    bundle: PolicyBundle, plan: Plan, profile: Profile, here: Machine, say: Say, clock: Callable[[], int]
) -> Found:
    """Every check that needs the engine. Raises Trouble where the bundle can't be loaded."""
    say("loading the engine")
    golden, provenance = read_golden(bundle.path), read_provenance(bundle.path)
    session, contract = open_session(bundle.model, threads=plan.threads), bundle.contract
    actions = contract.actions.name

    def act(given: Observation) -> NDArray[Any]:
        try:
            return np.asarray(session.run([actions], given)[0])
        except Exception as error:  # its exceptions share no base class
            what = f"the engine failed: {(str(error).splitlines() or [''])[0][:300]}"
            raise Trouble(what, cure="export the policy again", code="inference_error") from error

    engine = Policy(bundle, threads=plan.threads).name  # which also compares model and contract
    checks = [Check(name="model_loads", verdict="pass", text=f"loaded on {engine}")]
    say("comparing with the golden samples")
    checks.append(_parity(act, golden, provenance.tolerance if provenance else None, actions))
    real = tuple(_golden_observations(golden))
    checks += _timed(act, real or tuple(_hostile(contract)), plan, profile, here, say, clock)
    say("looking at the limits of its actions")
    checks.append(_keeps_limits("safety_outputs", act, real, contract))
    checks.append(_keeps_limits("safety_hostile", act, tuple(_hostile(contract)), contract))
    return Found(engine, tuple(checks))


def outside(actions: NDArray[Any], contract: PolicyContract) -> str:
    """In words what is wrong with an action; empty where it is finite and within its limits."""
    flat = np.asarray(actions, np.float64).reshape(-1)
    if not np.isfinite(flat).all():
        return "an action is not finite"
    low, high = (
        np.resize(np.asarray(side, np.float64), flat.shape) for side in (contract.actions.low, contract.actions.high)
    )
    room = _EDGE * np.maximum(high - low, 1e-9)
    wrong = np.flatnonzero((flat < low - room) | (flat > high + room))
    if not wrong.size:
        return ""
    first = int(wrong[0])
    name = contract.actions.names[first] if first < len(contract.actions.names) else f"element {first}"
    return f"{name} is {flat[first]:.4g}, its limits are {low[first]:g} to {high[first]:g}"


def _parity(
    act: Callable[[Observation], NDArray[Any]], golden: Golden | None, tolerance: Tolerance | None, actions: str
) -> Check:
    if golden is None:
        return Check(name="parity", verdict="skipped", text="the bundle carries no golden samples (golden.npz)")
    wanted = golden.outputs.get(actions)
    if tolerance is None or wanted is None:
        text = "the bundle names no tolerance, or no golden actions, for its golden samples"
        return Check(name="parity", verdict="inconclusive", text=text, n=golden.samples)
    found = np.concatenate([act(one) for one in _golden_observations(golden)])
    if found.size != wanted.size:
        text = f"golden.npz holds {wanted.size} numbers of actions, the policy gives {found.size} for its observations"
        return Check(name="parity", verdict="fail", text=text, n=golden.samples)
    found = found.reshape(wanted.shape)
    return judged_parity(differences(wanted, found, tolerance), tolerance, golden.samples)


def _timed(
    act: Callable[[Observation], NDArray[Any]],
    given: tuple[Observation, ...],
    plan: Plan,
    profile: Profile,
    here: Machine,
    say: Say,
    clock: Callable[[], int],
) -> list[Check]:
    say(f"timing it, {plan.runs} runs, then beside a busy program")
    before = here.heat()
    alone = latency.time_in_turn(act, given, plan.runs, profile.warm_up_runs, clock)
    loaded, why = list[float](), ""
    try:
        with latency.busy_beside():
            loaded = latency.time_in_turn(act, given, plan.runs, profile.warm_up_runs, clock)
    except OSError as error:
        why = f"no busy program could be started beside: {error}"
    after = here.heat()
    judged = latency.judging(slowed_down(before, after), plan.beside)
    whole = "a policy has no pictures: its engine is the whole way"
    return [
        judged("latency_engine", "the policy", alone, profile.engine_p99_ms),
        Check(name="latency_pipeline", verdict="skipped", text=whole),
        judged("latency_under_load", "the same beside a busy program", loaded, profile.loaded_p99_ms)
        if loaded
        else Check(name="latency_under_load", verdict="inconclusive", text=why),
        thermal(profile, before, after),
    ]


def _keeps_limits(
    name: str,
    act: Callable[[Observation], NDArray[Any]],
    given: tuple[Observation, ...],
    contract: PolicyContract,
) -> Check:
    if not given:
        return Check(name=name, verdict="skipped", text="the bundle carries no golden observations")
    found = [text for one in given if (text := outside(act(one), contract))]
    text = f"{len(found)} of {len(given)} observations give actions outside of their limits"
    text += f"; {found[0]}" if found else ""
    return Check(
        name=name,
        verdict="fail" if found else "pass",
        text=text,
        value=float(len(found)),
        limit=0.0,
        unit="observations",
        n=len(given),
    )


def _golden_observations(golden: Golden | None) -> Iterator[Observation]:
    for number in range(golden.samples if golden else 0):
        assert golden is not None  # or there is no sample
        yield {name: array[number : number + 1] for name, array in golden.inputs.items()}


def _hostile(contract: PolicyContract) -> Iterator[Observation]:
    """What broken sensors give, as the network is given it: nothing, the ends of what it knows, far beyond, and chance."""
    chance = np.random.default_rng(_SEED)
    for level in (0.0, 1.0, -1.0, 10.0, -10.0, 1000.0, -1000.0):
        yield {one.name: _given(one, np.full((1, *one.shape), level)) for one in contract.observations}
    for spread in (1.0, 10.0, 100.0):
        yield {one.name: _given(one, chance.normal(0, spread, (1, *one.shape))) for one in contract.observations}


def _given(one: ObservationContract, values: NDArray[Any]) -> NDArray[Any]:
    """As who runs the policy would give it: clipped, and in its type."""
    kept = np.clip(values, -one.clip, one.clip) if one.clip is not None else values
    return np.clip(kept, 0, 255).astype(np.uint8) if one.dtype == "uint8" else kept.astype(np.float32)
