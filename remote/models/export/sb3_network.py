"""A Stable-Baselines3 policy as a network that does all of `predict(deterministic=True)`. Needs stable-baselines3 and torch.

Flattening, the actor, tanh and its scale, clipping to the action space's limits and the choice among discrete actions are
inside: the network takes observations as the policy's training took them (normalised, where they were) and gives the
environment's action.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any, Literal

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.sac.policies import SACPolicy
from stable_baselines3.td3.policies import TD3Policy
from torch import nn

from remote.errors import Trouble
from remote.models.export.kinds import damaged
from remote.models.export.sb3_zip import PolicyZip

ONE = "observation"
ACTION = "action"
Squash = Literal["none", "clip", "tanh"]


def build_policy(read: PolicyZip, path: Path) -> Any:
    """The policy with its weights, on the CPU, in evaluation mode.

    Raises:
        Trouble: `policy_unsupported` for another algorithm or space, `source_damaged`, `pickle_refused`, `state_mismatch`.
    """
    kind = read.policy_class
    if not (isinstance(kind, type) and issubclass(kind, (ActorCriticPolicy, SACPolicy, TD3Policy))):
        raise _unsupported(
            path, f"its policy is {getattr(kind, '__name__', kind)!r}", "PPO, SAC and TD3 can be exported"
        )
    observation_shapes(read.observation_space, path)
    _refuse_space(read.action_space, path)
    settings = dict(read.policy_kwargs)
    if issubclass(kind, ActorCriticPolicy):
        settings.setdefault("use_sde", read.use_sde)
    try:
        policy = kind(read.observation_space, read.action_space, lambda _: 0.0, **settings)
    except Exception as error:
        raise damaged(path, f"does not make a policy: {type(error).__name__}: {error}") from error
    try:
        policy.load_state_dict(_weights(read.weights, path))
    except (RuntimeError, TypeError, AttributeError) as error:
        what = f"{path}: its weights are not its policy's: {str(error).splitlines()[0][:200]}"
        raise Trouble(what, cure="Save the policy again", code="state_mismatch") from error
    policy.set_training_mode(False)
    return policy.cpu()


def observation_shapes(space: Any, path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes by name; a single one is called `observation`. Raises Trouble `policy_unsupported`."""
    within = dict(space.spaces) if isinstance(space, spaces.Dict) else {ONE: space}
    for name, one in within.items():
        if not isinstance(one, spaces.Box):
            cure = "Use Box observations, or a Dict of them"
            raise _unsupported(path, f"observation {name} is a {type(one).__name__}", cure)
    return {name: tuple(int(axis) for axis in one.shape) or (1,) for name, one in sorted(within.items())}


def action_squash(policy: Any) -> Squash:
    """What keeps the action within its limits."""
    if not isinstance(policy.action_space, spaces.Box):
        return "none"
    return "tanh" if policy.squash_output else "clip"


class Acting(nn.Module):  # type: ignore[misc]
    """The policy's deterministic action, [n, elements], from its observations in the order of their names."""

    def __init__(self, policy: Any) -> None:
        super().__init__()
        self.policy = policy
        self.names = (
            sorted(policy.observation_space.spaces) if isinstance(policy.observation_space, spaces.Dict) else None
        )
        space = policy.action_space
        if isinstance(space, spaces.Box):
            self.register_buffer("low", torch.as_tensor(space.low.reshape(-1), dtype=torch.float32))
            self.register_buffer("high", torch.as_tensor(space.high.reshape(-1), dtype=torch.float32))

    def forward(self, *observations: Any) -> Any:
        """Scaled to the limits after tanh, clipped to them, or the most likely choice."""
        given: Any = dict(zip(self.names, observations, strict=True)) if self.names else observations[0]
        raw = self._mean(given)
        if isinstance(self.policy.action_space, spaces.Discrete):
            return raw.argmax(1, keepdim=True)
        if isinstance(self.policy.action_space, spaces.MultiDiscrete):
            parts = torch.split(raw, [int(one) for one in self.policy.action_space.nvec], 1)
            return torch.cat([part.argmax(1, keepdim=True) for part in parts], 1)
        if self.policy.squash_output:
            return self.low + 0.5 * (raw + 1.0) * (self.high - self.low)
        return torch.minimum(torch.maximum(raw, self.low), self.high)

    def _mean(self, given: Any) -> Any:
        policy = self.policy
        if isinstance(policy, SACPolicy):
            return torch.tanh(policy.actor.get_action_dist_params(given)[0])
        if isinstance(policy, TD3Policy):
            return policy.actor(given)
        features = policy.extract_features(given, policy.pi_features_extractor)
        mean = policy.action_net(policy.mlp_extractor.forward_actor(features))
        return torch.tanh(mean) if policy.squash_output else mean


def _weights(data: bytes, path: Path) -> Any:
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        what = f"{path} is refused, its weights are a pickle that wants more: {str(error).splitlines()[0][:200]}"
        raise Trouble(what, cure="Save the policy again", code="pickle_refused") from error
    except (RuntimeError, ValueError, EOFError, KeyError, OSError) as error:
        raise damaged(path, f"has weights that can't be loaded: {str(error).splitlines()[0][:200]}") from error


def _refuse_space(space: Any, path: Path) -> None:
    import numpy as np

    known = isinstance(space, (spaces.Box, spaces.Discrete, spaces.MultiDiscrete))
    shifted = isinstance(space, (spaces.Discrete, spaces.MultiDiscrete)) and np.any(space.start)
    if not known or shifted:
        raise _unsupported(path, f"its action is {space}", "Use Box, or Discrete and MultiDiscrete that begin at 0")
    if isinstance(space, spaces.Box) and not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
        raise _unsupported(path, f"its action has no limits: {space}", "Give the action space finite limits")


def _unsupported(path: Path, what: str, cure: str) -> Trouble:
    return Trouble(f"{path} can't be exported: {what}", cure=cure, code="policy_unsupported")
