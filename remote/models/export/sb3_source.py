"""A policy's zip into ONNX and a contract, and what `predict` gives on recorded observations. Needs stable-baselines3."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from remote.errors import Trouble
from remote.manifest import MODEL, entry_of
from remote.models.bundle import PolicyBundle
from remote.models.contract import ActionContract, ObservationContract, PolicyContract
from remote.models.export.made import Made
from remote.models.export.opened import open_checks
from remote.models.export.parity import parity
from remote.models.export.policy_files import (
    Normalisation,
    PolicyWords,
    read_normalisation,
    read_recorded,
    read_words,
    refuse_whole,
)
from remote.models.export.samples import SEED, Samples
from remote.models.export.sb3_network import ACTION, ONE, Acting, action_squash, build_policy, observation_shapes
from remote.models.export.sb3_zip import read_policy_zip
from remote.models.export.torch_load import load_scripted
from remote.models.export.torch_source import TORCHSCRIPT, settings_of
from remote.models.export.torch_write import Tensors, at_rest, by_torch, torchscript_bytes, write_onnx
from remote.models.export.wishes import Wishes
from remote.models.golden import Arrays
from remote.models.policy import Policy, network_input
from remote.models.provenance import Tolerance
from remote.verdicts import Check

TOLERANCE = Tolerance(absolute=1e-4, relative=1e-4)
"""In the action's own unit; policies are small and their outputs near 1."""
LEAST_SAMPLES = 100
Normalise = Callable[[Arrays], Arrays]


def of_policy(source: Path, wishes: Wishes, folder: Path) -> Made:
    """Write the ONNX file into `folder`. Raises Trouble for whatever keeps it from doing what `predict` does."""
    read = read_policy_zip(source, trusted=wishes.trust_pickle)
    policy = build_policy(read, source)
    shapes = observation_shapes(policy.observation_space, source)
    stats, normalise = _normalisation(wishes, policy, shapes)
    contract = policy_contract(policy, shapes, stats, wishes, wishes.named(source))
    raw, words = _raw_observations(policy, contract, wishes)
    golden = {ACTION: _predicted(policy, normalise(raw))}
    inputs = {one.name: network_input(one, raw[one.name]) for one in contract.observations}
    tolerance = wishes.tolerance(TOLERANCE)
    network = at_rest(Acting(policy))
    tensors = Tensors(dict(shapes), (ACTION,), {one.name: one.dtype for one in contract.observations})
    path = folder / MODEL
    checks = [
        write_onnx(network, tensors, path, opset=wishes.opset_asked, exporter=wishes.way, dynamic=wishes.dynamic),
        *open_checks(path, inputs, wishes.dynamic, tolerance),
        _predict_parity(folder, contract, raw, golden, tolerance),
    ]
    extra = {}
    if wishes.torchscript:
        extra[TORCHSCRIPT] = torchscript_bytes(network, tensors)
        (folder / TORCHSCRIPT).write_bytes(extra[TORCHSCRIPT])
        found = by_torch(load_scripted(folder / TORCHSCRIPT), tensors)(inputs)
        checks.append(parity(golden, found, tolerance, name="torchscript", against="predict"))
    return Made(
        onnx=path,
        contract=contract,
        samples=Samples(inputs, words),
        golden=golden,
        against=f"predict of Stable-Baselines3 {metadata.version('stable_baselines3')}",
        source=f"Stable-Baselines3 policy {source.name} ({read.policy_class.__name__}, saved by {read.version})",
        source_sha256=entry_of(source).sha256,
        settings=settings_of(wishes) | {"normalised": stats is not None},
        tools={"torch": str(torch.__version__), "stable_baselines3": metadata.version("stable_baselines3")},
        tolerance=tolerance,
        checks=tuple(checks),
        extra=extra,
    )


def policy_contract(
    policy: Any, shapes: dict[str, tuple[int, ...]], stats: Normalisation | None, wishes: Wishes, name: str
) -> PolicyContract:
    """What must be true around the policy. Raises Trouble `units_missing`, `units_invalid`."""
    space = policy.action_space
    low, high = _limits(space)
    words = read_words(wishes.units, {one: int(np.prod(shape)) for one, shape in shapes.items()}, len(low))
    return PolicyContract(
        name=name,
        task="policy",
        observations=tuple(_observation(policy, one, shape, stats, words) for one, shape in shapes.items()),
        actions=ActionContract(
            name=ACTION,
            kind="continuous" if isinstance(space, spaces.Box) else "discrete",
            names=words.actions.names,
            units=words.actions.units,
            low=low,
            high=high,
            squash=action_squash(policy),
        ),
    )


def _observation(
    policy: Any, name: str, shape: tuple[int, ...], stats: Normalisation | None, words: PolicyWords
) -> ObservationContract:
    has = stats is not None and name in stats.mean
    return ObservationContract(
        name=name,
        shape=shape,
        dtype="uint8" if _is_whole(policy, name) else "float32",
        elements=words.observations[name].elements,
        units=words.observations[name].units,
        mean=stats.mean[name] if stats and has else None,
        std=stats.std_of(name) if stats and has else None,
        clip=stats.clip if stats and has else None,
    )


def _is_whole(policy: Any, name: str) -> bool:
    space = policy.observation_space.spaces[name] if _is_dict(policy) else policy.observation_space
    return bool(space.dtype == np.uint8)


def _limits(space: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if isinstance(space, spaces.Box):
        return tuple(space.low.reshape(-1).tolist()), tuple(space.high.reshape(-1).tolist())
    many = [space.n] if isinstance(space, spaces.Discrete) else space.nvec.reshape(-1).tolist()
    return tuple(0.0 for _ in many), tuple(float(one - 1) for one in many)


def _is_dict(policy: Any) -> bool:
    return isinstance(policy.observation_space, spaces.Dict)


def _normalisation(
    wishes: Wishes, policy: Any, shapes: dict[str, tuple[int, ...]]
) -> tuple[Normalisation | None, Normalise]:
    """The numbers for the contract, and what the training did with them, which the contract is compared with."""
    if wishes.normalise is None:
        return None, lambda raw: raw
    whole = [name for name in shapes if _is_whole(policy, name)]
    if wishes.normalise.suffix.lower() in (".pkl", ".pickle") and wishes.trust_pickle:
        return _vec_normalize(wishes.normalise, list(shapes), whole)
    sizes = {name: int(np.prod(shape)) for name, shape in shapes.items() if name not in whole}
    stats = read_normalisation(wishes.normalise, sizes, whole)
    limit = np.inf if stats.clip is None else stats.clip

    def normalise(raw: Arrays) -> Arrays:
        done = dict(raw)
        for name, array in raw.items():
            if name not in stats.mean:
                continue
            flat = array.reshape(len(array), -1).astype(np.float64)
            scaled = (flat - np.array(stats.mean[name])) / np.sqrt(np.array(stats.var[name]) + stats.epsilon)
            done[name] = np.clip(scaled, -limit, limit).astype(np.float32).reshape(array.shape)
        return done

    return stats, normalise


def _vec_normalize(path: Path, names: Sequence[str], whole: Sequence[str]) -> tuple[Normalisation | None, Normalise]:
    """VecNormalize's own pickle, which was said to be trusted: it also does the reference's normalising, and says which
    observations are left as they are (`norm_obs_keys`).
    """
    try:
        saved = pickle.loads(path.read_bytes())
        if not saved.norm_obs:
            return None, lambda raw: raw
        means = saved.obs_rms if isinstance(saved.obs_rms, dict) else {ONE: saved.obs_rms}
        has = [name for name in names if name in means]
        stats = Normalisation(
            {name: tuple(means[name].mean.reshape(-1).tolist()) for name in has},
            {name: tuple(means[name].var.reshape(-1).tolist()) for name in has},
            float(saved.epsilon),
            float(saved.clip_obs),
        )
    except Exception as error:
        what = f"{path} can't be read as VecNormalize: {type(error).__name__}: {error}"
        raise Trouble(what, cure="Save it again with VecNormalize.save", code="normalise_invalid") from error
    if not has or len(has) != len(means):
        what = f"{path} normalises {', '.join(sorted(means))}; the policy has {', '.join(names)}"
        raise Trouble(what, cure="Give the file that was saved with this policy", code="normalise_invalid")
    refuse_whole(path, has, whole)

    def normalise(raw: Arrays) -> Arrays:
        given = raw[ONE] if ONE in raw and len(raw) == 1 else dict(raw)
        done = saved.normalize_obs(given)
        return dict(done) if isinstance(done, dict) else {ONE: done}

    return stats, normalise


def _raw_observations(policy: Any, contract: PolicyContract, wishes: Wishes) -> tuple[Arrays, str]:
    shapes = {one.name: one.shape for one in contract.observations}
    count = max(wishes.samples, LEAST_SAMPLES)
    if wishes.golden is not None:
        raw = read_recorded(wishes.golden, shapes, count)
        return raw, f"{len(next(iter(raw.values())))} recorded observations of {wishes.golden.name}"
    random = np.random.default_rng(SEED)
    raw = {}
    for one in contract.observations:
        space = policy.observation_space.spaces[one.name] if _is_dict(policy) else policy.observation_space
        raw[one.name] = _drawn(random, one, space, count)
    return raw, f"no recorded observations: {count} made at random"


def _drawn(random: np.random.Generator, given: ObservationContract, space: Any, count: int) -> Any:
    """Within the space's limits; where it has none, about the mean that the training saw."""
    shape = (count, *given.shape)
    if given.dtype == "uint8":
        return random.integers(0, 256, shape, dtype=np.uint8)
    if np.isfinite(space.low).all() and np.isfinite(space.high).all():
        return random.uniform(space.low, space.high, shape).astype(np.float32)
    mean, std = (np.asarray(one or usual) for one, usual in ((given.mean, 0.0), (given.std, 1.0)))
    spread = random.normal(size=(count, int(np.prod(given.shape)))) * std + mean
    return spread.reshape(shape).astype(np.float32)


def _predicted(policy: Any, observations: Arrays) -> Any:
    """`predict` of each observation alone, as a control loop calls it; flat."""
    count = len(next(iter(observations.values())))
    actions = []
    for index in range(count):
        one = {name: array[index] for name, array in observations.items()}
        action, _ = policy.predict(one if _is_dict(policy) else one[ONE], deterministic=True)
        actions.append(np.asarray(action).reshape(-1))
    return np.stack(actions)


def _predict_parity(folder: Path, contract: PolicyContract, raw: Arrays, golden: Arrays, tolerance: Tolerance) -> Check:
    """The whole way as the robot goes it: raw observations, the contract's processing, the exported network."""
    runner = Policy(PolicyBundle(folder, "", contract))
    count = len(next(iter(raw.values())))
    found = [runner.act({name: array[index] for name, array in raw.items()}) for index in range(count)]
    return parity(golden, {ACTION: np.stack(found)}, tolerance, name="predict", against="predict on raw observations")
