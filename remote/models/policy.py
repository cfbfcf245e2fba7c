"""Running a policy's bundle: raw observations in the contract's units -> one action in the contract's units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remote.errors import Trouble
from remote.models.bundle import PolicyBundle
from remote.models.contract import ActionContract, ObservationContract, PolicyContract
from remote.perception.engines.onnx_runtime import name_of, open_session
from remote.perception.faults import BadOutput, InferenceError

Array = NDArray[Any]
_ORT = {"tensor(float)": "float32", "tensor(uint8)": "uint8"}
_ROUNDING = 1e-5
"""Share of the range that an action may be beyond its limit: scaling within the network rounds."""


class Policy:
    """Owns the session. Raises Trouble `model_mismatch` where model and contract differ in names, shapes or types."""

    def __init__(self, bundle: PolicyBundle, *, threads: int = 1) -> None:
        self.contract = bundle.contract
        self._session = open_session(bundle.model, threads=threads)
        _refuse_mismatch(self._session, self.contract)
        self.name = name_of(self._session, threads)

    def act(self, observations: Mapping[str, Array]) -> Array:
        """The action, flat, for one raw observation of each name, shaped as the contract says.

        Raises:
            BadOutput: NaN, infinity, or an action beyond the contract's limits. InferenceError: the engine failed.
        """
        missing = [given.name for given in self.contract.observations if given.name not in observations]
        if missing:
            cure = "Give every observation that the contract names"
            raise Trouble(f"there is no observation {missing[0]}", cure=cure, code="observation_mismatch")
        feed = {
            given.name: network_input(given, np.asarray(observations[given.name]))[np.newaxis]
            for given in self.contract.observations
        }
        try:
            result = self._session.run([self.contract.actions.name], feed)[0]
        except Exception as error:
            raise InferenceError(f"the engine failed: {(str(error).splitlines() or [''])[0][:300]}") from error
        action = np.asarray(result).reshape(-1)
        refuse_impossible_action(self.contract.actions, action)
        return action


def network_input(given: ObservationContract, raw: Array) -> Array:
    """A raw observation as the network takes it: `clip((raw - mean) / std, -clip, clip)`; more leading axes are kept.

    Raises Trouble `observation_mismatch` for another shape, NaN or infinity.
    """
    if raw.shape[raw.ndim - len(given.shape) :] != given.shape:
        what = f"observation {given.name} has the shape {list(raw.shape)}; the contract says {list(given.shape)}"
        raise Trouble(what, cure="Give the observations that the policy was trained on", code="observation_mismatch")
    if given.dtype == "uint8":
        return raw.astype(np.uint8)
    values = raw.astype(np.float64)
    if not np.isfinite(values).all():
        cure = "Look at the sensor: a policy must not act on what is no number"
        raise Trouble(f"observation {given.name} holds NaN or infinity", cure=cure, code="observation_mismatch")
    if given.mean is not None and given.std is not None:
        values = (values - _shaped(given.mean, given.shape)) / _shaped(given.std, given.shape)
    if given.clip is not None:
        values = np.clip(values, -given.clip, given.clip)
    return values.astype(np.float32)


def refuse_impossible_action(given: ActionContract, action: Array) -> None:
    """Raise BadOutput for an action with another number of elements, not finite, or beyond its limits; names the element."""
    if action.shape != (len(given.names),):
        raise BadOutput(f"the policy gives {action.size} values, its contract names {len(given.names)}")
    for name, unit, low, high, value in zip(
        given.names, given.units, given.low, given.high, action.tolist(), strict=True
    ):
        slack = (high - low) * _ROUNDING
        if not np.isfinite(value):
            raise BadOutput(f"the policy gives {value} for {name}")
        if not low - slack <= value <= high + slack:
            raise BadOutput(f"the policy gives {value:.6g} {unit} for {name}, its limits are {low:g} and {high:g}")


def _shaped(values: tuple[float, ...], shape: tuple[int, ...]) -> Array:
    wide = np.asarray(values, np.float64)
    return wide if wide.size == 1 else wide.reshape(shape)


def _refuse_mismatch(session: Any, contract: PolicyContract) -> None:
    found = {node.name: (_ORT.get(node.type, node.type), list(node.shape)[1:]) for node in session.get_inputs()}
    wanted = {one.name: (one.dtype, list(one.shape)) for one in contract.observations}
    if found != wanted:
        raise _mismatch(f"the model takes {found}; the contract says {wanted}")
    names = [node.name for node in session.get_outputs()]
    if contract.actions.name not in names:
        raise _mismatch(f"the model's outputs are {names}; the contract's is {contract.actions.name!r}")


def _mismatch(what: str) -> Trouble:
    cure = "Export the policy again: fieldgate model export"
    return Trouble(f"contract and model differ: {what}", cure=cure, code="model_mismatch")
