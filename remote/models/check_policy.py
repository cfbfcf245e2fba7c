"""Checking a policy's bundle on the machine that is to run it: digests, names, finite actions within limits, its golden
ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec

from remote.errors import Trouble
from remote.models.bundle import PolicyBundle, load_policy_bundle
from remote.models.provenance import failed_by_maker

if TYPE_CHECKING:
    from remote.models.contract import PolicyContract
    from remote.models.policy import Policy

MADE = 100
_SEED = 7
_SPREAD = 3.0
"""Made observations lie within so many standard deviations of the mean that the training saw."""


class PolicyCheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. Times are for one action from a raw observation, in milliseconds, over `runs` runs on this machine.

    `golden` samples gave what they gave where the bundle was made; None where it has none.
    `maker_failed` says what failed there, by its own provenance.
    """

    name: str
    digest: str
    task: str
    observations: dict[str, tuple[int, ...]]
    actions: tuple[str, ...]
    engine: str
    runs: int
    action_p50_ms: float
    action_max_ms: float
    golden: int | None
    model_bytes: int
    maker_failed: tuple[str, ...] = ()


def check_policy(
    path: Path, *, threads: int = 1, runs: int = 20, clock: Callable[[], int] = time.monotonic_ns
) -> PolicyCheckReport:
    """Verify, load and run a policy's bundle on made observations and on its golden ones.

    Raises:
        Trouble: as load_policy_bundle; `model_unreadable`; `model_mismatch` where model and contract differ; `bad_output` for
            an action that is not finite or beyond its limits; `golden_failed` where it does not what it did.
    """
    from remote.models.policy import Policy

    bundle = load_policy_bundle(path)
    policy = Policy(bundle, threads=threads)
    times_ms = []
    observations = list(_made(bundle.contract, max(MADE, runs)))
    for observation in observations:
        _act(policy, observation, path)
    for observation in observations[: max(1, runs)]:
        started = clock()
        policy.act(observation)
        times_ms.append((clock() - started) / 1e6)
    return PolicyCheckReport(
        name=bundle.contract.name,
        digest=bundle.digest,
        task=bundle.contract.task,
        observations={one.name: one.shape for one in bundle.contract.observations},
        actions=bundle.contract.actions.names,
        engine=policy.name,
        runs=len(times_ms),
        action_p50_ms=median(times_ms),
        action_max_ms=max(times_ms),
        golden=_golden(bundle),
        model_bytes=bundle.model.stat().st_size,
        maker_failed=failed_by_maker(path),
    )


def _made(contract: PolicyContract, count: int) -> Iterator[dict[str, Any]]:
    """The mean first, then seeded ones about it, in the contract's units."""
    import numpy as np

    random = np.random.default_rng(_SEED)
    for index in range(count):
        made: dict[str, Any] = {}
        for given in contract.observations:
            if given.dtype == "uint8":
                made[given.name] = random.integers(0, 256, given.shape, dtype=np.uint8)
                continue
            size = int(np.prod(given.shape))
            mean, std = np.asarray(given.mean or 0.0), np.asarray(given.std or 1.0)
            away = random.uniform(-_SPREAD, _SPREAD, size) if index else np.zeros(size)
            made[given.name] = (mean + std * away).reshape(given.shape)
        yield made


def _act(policy: Policy, observation: dict[str, Any], path: Path) -> None:
    from remote.perception.faults import FrameFault

    try:
        policy.act(observation)
    except FrameFault as fault:
        cure = "Look at the training and export it again; such a policy must not move a robot"
        raise Trouble(f"bundle {path}: on a made observation {fault}", cure=cure, code=fault.name) from fault


def _golden(bundle: PolicyBundle) -> int | None:
    from remote.models.export.parity import USUAL, signal_to_difference_db, worst_of
    from remote.models.export.runs import by_engine
    from remote.models.golden import read_golden
    from remote.models.provenance import read_provenance

    golden, before = read_golden(bundle.path), read_provenance(bundle.path)
    if golden is None:
        return None
    tolerance = (before.tolerance if before else None) or USUAL
    found = by_engine(bundle.model, list(golden.outputs))(golden.inputs)
    worst, clear_db = worst_of(golden.outputs, found, tolerance), signal_to_difference_db(golden.outputs, found)
    wrong = ""
    if worst.beyond > tolerance.wrong_share * worst.elements:
        wrong = f"{worst.beyond} of {worst.elements} golden actions differ; worst {worst}"
    elif tolerance.snr_db is not None and clear_db < tolerance.snr_db:
        wrong = f"golden actions are {clear_db:.1f} dB clear of their difference, not {tolerance.snr_db:g} dB"
    if wrong:
        cure = "Run it with the engine that it was made with, or export it again"
        raise Trouble(f"bundle {bundle.path}: {wrong}", cure=cure, code="golden_failed")
    return golden.samples
