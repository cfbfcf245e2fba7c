"""Policies really trained by Stable-Baselines3, for a few steps: the bundle acts as `predict` does, and nothing of the zip
runs.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: run `make test-train`")
pytest.importorskip("stable_baselines3", reason="stable-baselines3 is not installed here: run `make test-train`")

import gymnasium
from gymnasium import spaces
from stable_baselines3 import A2C, DQN, PPO, SAC, TD3
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from remote.errors import Trouble
from remote.models.bundle import load_policy_bundle
from remote.models.check_policy import check_policy
from remote.models.export.export import export_model
from remote.models.export.wishes import Wishes
from remote.models.policy import Policy
from remote.models.provenance import read_provenance

ACTION = spaces.Box(np.array([-2, -1], np.float32), np.array([2, 3], np.float32))
JOINTS = spaces.Box(-np.inf, np.inf, (3,), np.float64)
QUICK: dict[Any, dict[str, Any]] = {
    PPO: {"n_steps": 16, "batch_size": 8, "n_epochs": 1},
    A2C: {"n_steps": 8},
    SAC: {"learning_starts": 4, "buffer_size": 100, "batch_size": 4},
    TD3: {"learning_starts": 4, "buffer_size": 100, "batch_size": 4},
    DQN: {"learning_starts": 4, "buffer_size": 100, "batch_size": 4},
}


class Reach(gymnasium.Env):  # type: ignore[misc]
    """A tiny arm: the nearer the first joint to the target, the better; observations of very different size."""

    def __init__(self, action: Any = ACTION, observation: Any = JOINTS) -> None:
        self.action_space, self.observation_space = action, observation
        self._random = np.random.default_rng(5)

    def _seen(self) -> Any:
        if isinstance(self.observation_space, spaces.Dict):
            return {name: self._drawn(space) for name, space in self.observation_space.spaces.items()}
        return self._drawn(self.observation_space)

    def _drawn(self, space: Any) -> Any:
        if space.dtype == np.uint8:
            return self._random.integers(0, 256, space.shape, dtype=np.uint8)
        return (self._random.normal(size=space.shape) * 20 + 5).astype(space.dtype)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self._steps = 0
        return self._seen(), {}

    def step(self, action: Any) -> Any:
        self._steps += 1
        return self._seen(), -float(np.abs(np.asarray(action, np.float64)).sum()), self._steps >= 10, False, {}


def trained(path: Path, kind: Any, env: Any, policy: str = "MlpPolicy", **more: Any) -> Any:
    """A model of a few steps, saved to `path`."""
    settings = {"seed": 1, "device": "cpu", "policy_kwargs": {"net_arch": [8]}, **QUICK[kind], **more}
    model = kind(policy, env, **settings)
    model.learn(24)
    model.save(path)
    return model


def units(folder: Path, observations: dict[str, int] | None = None, actions: int = 2) -> Path:
    data = {
        "observations": {
            name: {"elements": [f"{name} {n}" for n in range(size)], "units": ["rad"] * size}
            for name, size in (observations or {"observation": 3}).items()
        },
        "actions": {"names": [f"joint {n}" for n in range(actions)], "units": ["Nm"] * actions},
    }
    (folder / "units.yaml").write_text(json.dumps(data))
    return folder / "units.yaml"


def recorded(folder: Path, count: int = 40) -> Any:
    raw = np.random.default_rng(9).normal(size=(count, 3)) * 20 + 5
    np.save(folder / "recorded.npy", raw)
    return raw


def acts_as_predict(bundle: Path, model: Any, raw: Any, normalise: Any = lambda one: one) -> None:
    policy = Policy(load_policy_bundle(bundle))
    for one in raw:
        right, _ = model.predict(normalise(one), deterministic=True)
        assert np.allclose(policy.act({"observation": one}), right.reshape(-1), atol=1e-3)


@pytest.mark.parametrize("kind", [PPO, SAC, TD3], ids=["PPO", "SAC", "TD3"])
def test_the_bundle_acts_as_predict_on_recorded_observations(tmp_path: Path, kind: Any) -> None:
    model, raw = trained(tmp_path / "p.zip", kind, Reach()), recorded(tmp_path)
    wishes = Wishes(output=tmp_path / "b", units=units(tmp_path), golden=tmp_path / "recorded.npy", torchscript=True)
    report = export_model(tmp_path / "p.zip", wishes)
    assert {check.name: check.verdict for check in report.checks if check.name in ("predict", "parity", "torchscript")} == {
        "predict": "pass", "parity": "pass", "torchscript": "pass",
    }  # fmt: skip
    assert report.golden == "40 recorded observations of recorded.npy"
    contract = load_policy_bundle(tmp_path / "b").contract
    assert (contract.actions.low, contract.actions.high) == ((-2.0, -1.0), (2.0, 3.0))
    assert contract.actions.squash == ("clip" if kind is PPO else "tanh")
    assert contract.observations[0].elements == ("observation 0", "observation 1", "observation 2")
    acts_as_predict(tmp_path / "b", model, raw)
    assert check_policy(tmp_path / "b", runs=1).golden == 40


@pytest.mark.parametrize("form", ["npz", "pkl"])
def test_normalised_observations_are_normalised_by_the_contract_too(tmp_path: Path, form: str) -> None:
    """A policy that is given raw metres instead of normalised ones does something else, without any error."""
    env = VecNormalize(DummyVecEnv([Reach]), clip_obs=1.5)
    model, raw = trained(tmp_path / "p.zip", PPO, env), recorded(tmp_path)
    env.save(str(tmp_path / "s.pkl"))
    np.savez(tmp_path / "s.npz", mean=env.obs_rms.mean, var=env.obs_rms.var, clip=env.clip_obs, epsilon=env.epsilon)
    wishes = Wishes(
        output=tmp_path / "b", units=units(tmp_path), golden=tmp_path / "recorded.npy",
        normalise=tmp_path / f"s.{form}", trust_pickle=form == "pkl",
    )  # fmt: skip
    export_model(tmp_path / "p.zip", wishes)
    assert load_policy_bundle(tmp_path / "b").contract.observations[0].clip == 1.5
    acts_as_predict(tmp_path / "b", model, raw, env.normalize_obs)
    with pytest.raises(AssertionError):
        acts_as_predict(tmp_path / "b", model, raw)  # the contract's part of it matters


@pytest.mark.parametrize("form", ["npz", "pkl"])
def test_what_the_training_did_not_normalise_goes_in_as_it_is(tmp_path: Path, form: str) -> None:
    """Normalised by a mean of 0 and a variance of 1 it would be clipped: no error, and another action."""
    far = {"goal": spaces.Box(-900, 900, (2,), np.float32)} if form == "pkl" else {}
    near = {"angle": spaces.Box(-np.inf, np.inf, (3,), np.float32), "mask": spaces.Box(0, 255, (2,), np.uint8)}
    env = VecNormalize(
        DummyVecEnv([lambda: Reach(observation=spaces.Dict(near | far))]), norm_obs_keys=["angle"], clip_obs=1.5
    )
    model = trained(tmp_path / "p.zip", PPO, env, "MultiInputPolicy")
    env.save(str(tmp_path / "s.pkl"))
    stats = env.obs_rms["angle"]
    np.savez(tmp_path / "s.npz", **{"angle.mean": stats.mean, "angle.var": stats.var}, clip=1.5)
    sizes = {"angle": 3, "mask": 2} | {name: 2 for name in far}
    wishes = Wishes(
        output=tmp_path / "b",
        units=units(tmp_path, sizes),
        normalise=tmp_path / f"s.{form}",
        trust_pickle=form == "pkl",
    )
    export_model(tmp_path / "p.zip", wishes)
    policy = Policy(load_policy_bundle(tmp_path / "b"))
    assert {one.name: one.clip for one in policy.contract.observations} == {
        "angle": 1.5, "mask": None, **dict.fromkeys(far),
    }  # fmt: skip
    raw = {"angle": np.array([5, 30, -20.0]), "mask": np.array([3, 200], np.uint8)}
    raw |= {name: np.array([300, -400.0]) for name in far}
    right, _ = model.predict(env.normalize_obs(dict(raw)), deterministic=True)
    assert np.allclose(policy.act(raw), right.reshape(-1), atol=1e-3)


@pytest.mark.parametrize(
    ("action", "kind"),
    [(spaces.Discrete(5), PPO), (spaces.MultiDiscrete([3, 4]), PPO), (ACTION, A2C)],
    ids=["discrete", "several choices", "A2C"],
)
def test_choices_are_the_ones_of_predict(tmp_path: Path, action: Any, kind: Any) -> None:
    model, raw = trained(tmp_path / "p.zip", kind, Reach(action)), recorded(tmp_path)
    count = 1 if isinstance(action, spaces.Discrete) else 2
    export_model(tmp_path / "p.zip", Wishes(output=tmp_path / "b", units=units(tmp_path, actions=count)))
    acts_as_predict(tmp_path / "b", model, raw)


@pytest.mark.parametrize("kind", [PPO, SAC], ids=["PPO", "SAC"])
def test_exploration_that_depends_on_the_state_is_left_out(tmp_path: Path, kind: Any) -> None:
    model, raw = trained(tmp_path / "p.zip", kind, Reach(), use_sde=True), recorded(tmp_path)
    export_model(tmp_path / "p.zip", Wishes(output=tmp_path / "b", units=units(tmp_path)))
    acts_as_predict(tmp_path / "b", model, raw)


def test_several_observations_and_matrices_are_flattened_inside(tmp_path: Path) -> None:
    seen = spaces.Dict({"force": spaces.Box(-9, 9, (2, 2), np.float32), "angle": spaces.Box(-9, 9, (3,), np.float32)})
    model = trained(tmp_path / "p.zip", SAC, Reach(observation=seen), "MultiInputPolicy")
    export_model(
        tmp_path / "p.zip",
        Wishes(output=tmp_path / "b", units=units(tmp_path, {"force": 4, "angle": 3}), dynamic=("batch",)),
    )
    policy = Policy(load_policy_bundle(tmp_path / "b"))
    one = {"force": np.full((2, 2), 3, np.float32), "angle": np.array([1, -2, 3], np.float32)}
    right, _ = model.predict(one, deterministic=True)
    assert np.allclose(policy.act(one), right, atol=1e-4)


def test_the_newer_exporter_takes_policies_too(tmp_path: Path) -> None:
    model, raw = trained(tmp_path / "p.zip", SAC, Reach()), recorded(tmp_path, 5)
    asked = Wishes(output=tmp_path / "b", units=units(tmp_path), exporter="dynamo", opset=18, dynamic=("batch",))
    report = export_model(tmp_path / "p.zip", asked)
    assert (report.opset, report.inputs) == (18, {"observation": "batch x 3"})
    acts_as_predict(tmp_path / "b", model, raw)


def test_pictures_are_taken_as_the_policy_was_trained_on_them(tmp_path: Path) -> None:
    seen = spaces.Box(0, 255, (40, 40, 3), np.uint8)
    model = trained(tmp_path / "p.zip", PPO, Reach(observation=seen), "CnnPolicy", policy_kwargs={})
    export_model(tmp_path / "p.zip", Wishes(output=tmp_path / "b", units=units(tmp_path, {"observation": 1})))
    given = load_policy_bundle(tmp_path / "b").contract.observations[0]
    assert (given.shape, given.dtype, given.mean) == ((3, 40, 40), "uint8", None)
    acts_as_predict(tmp_path / "b", model, np.random.default_rng(1).integers(0, 256, (3, 3, 40, 40), dtype=np.uint8))


def test_without_units_or_with_another_algorithm_it_is_refused(tmp_path: Path) -> None:
    trained(tmp_path / "p.zip", PPO, Reach())
    with pytest.raises(Trouble) as caught:
        export_model(tmp_path / "p.zip", Wishes(output=tmp_path / "b"))
    assert caught.value.code == "units_missing"
    trained(tmp_path / "q.zip", DQN, Reach(spaces.Discrete(3)))
    with pytest.raises(Trouble, match=r"wants stable_baselines3\.dqn"):
        export_model(tmp_path / "q.zip", Wishes(output=tmp_path / "b", units=units(tmp_path, actions=1)))
    asked = Wishes(output=tmp_path / "b", units=units(tmp_path, actions=1), trust_pickle=True)
    with pytest.raises(Trouble) as caught:
        export_model(tmp_path / "q.zip", asked)
    assert caught.value.code == "policy_unsupported"


class Runs:
    """Makes a folder when it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.proof),)


def rewritten(path: Path, change: Any, weights: bytes | None = None) -> None:
    """The same zip with other data or weights."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    data = json.loads(entries["data"])
    change(data)
    entries["data"] = json.dumps(data).encode()
    entries["policy.pth"] = entries["policy.pth"] if weights is None else weights
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def test_code_in_the_zip_does_not_run_even_where_the_rest_is_a_real_policy(tmp_path: Path) -> None:
    trained(tmp_path / "p.zip", PPO, Reach())
    packed = base64.b64encode(pickle.dumps(Runs(tmp_path / "ran"))).decode()
    rewritten(tmp_path / "p.zip", lambda data: data["observation_space"].update({":serialized:": packed}))
    with pytest.raises(Trouble, match=r"posix\.mkdir"):
        export_model(tmp_path / "p.zip", Wishes(output=tmp_path / "b", units=units(tmp_path)))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("code", ["pickle_refused", "source_damaged", "state_mismatch"])
def test_weights_that_are_not_the_policys_are_refused(tmp_path: Path, code: str) -> None:
    import torch

    trained(tmp_path / "p.zip", PPO, Reach())
    if code == "source_damaged":
        weights = b"PK\x03\x04 cut"
    else:
        torch.save(Runs(tmp_path / "ran") if code == "pickle_refused" else {"a": torch.zeros(1)}, tmp_path / "w.pth")
        weights = (tmp_path / "w.pth").read_bytes()
    rewritten(tmp_path / "p.zip", lambda data: None, weights)
    with pytest.raises(Trouble) as caught:
        export_model(tmp_path / "p.zip", Wishes(output=tmp_path / "b", units=units(tmp_path)))
    assert caught.value.code == code
    assert not (tmp_path / "ran").exists()


def test_the_provenance_says_what_it_was_made_with(tmp_path: Path) -> None:
    trained(tmp_path / "p.zip", TD3, Reach())
    export_model(tmp_path / "p.zip", Wishes(output=tmp_path / "b", units=units(tmp_path)))
    provenance = read_provenance(tmp_path / "b")
    assert provenance is not None
    assert "TD3Policy" in provenance.source
    assert {"torch", "stable_baselines3", "onnx", "onnxruntime"} <= set(provenance.tools)
    assert provenance.settings["golden"] == "no recorded observations: 100 made at random"
