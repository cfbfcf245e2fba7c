"""A real policy of one layer as ONNX, with its contract: two joints in, two torques out, its actions known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from remote.models.bundle import PolicyBundle, load_policy_bundle
from remote.models.contract import ActionContract, ObservationContract, PolicyContract
from remote.models.golden import Golden, golden_bytes
from remote.models.make import write_any_bundle

LIMITS = ((-2.0, -1.0), (2.0, 3.0))


def policy_contract(mean: tuple[float, ...] | None = (0.5, 0.0)) -> PolicyContract:
    """Joint angles of about 0.5 rad in, torques within LIMITS out."""
    return PolicyContract(
        name="arm",
        task="policy",
        observations=(
            ObservationContract(
                name="joints",
                shape=(2,),
                elements=("shoulder", "elbow"),
                units=("rad",),
                mean=mean,
                std=None if mean is None else (2.0, 4.0),
                clip=10.0,
            ),
        ),
        actions=ActionContract(
            name="action",
            names=("shoulder", "elbow"),
            units=("Nm", "Nm"),
            low=LIMITS[0],
            high=LIMITS[1],
            squash="tanh",
        ),
    )


def expected(raw: np.ndarray, stretch: float = 1.0) -> np.ndarray:
    """What the policy does with one raw observation: by hand, in double precision."""
    low, high = (np.array(one) for one in LIMITS)
    inside = np.clip((raw - np.array([0.5, 0.0])) / np.array([2.0, 4.0]), -10, 10)
    return np.asarray(low + 0.5 * (np.tanh(inside) * stretch + 1) * (high - low))


def write_policy(path: Path, *, stretch: float = 1.0, is_nan: bool = False) -> Path:
    """action = low + (tanh(joints) * stretch + 1) / 2 * (high - low); a stretch above 1 leaves the limits."""
    low, high = (np.array(one, np.float32) for one in LIMITS)
    half = (high - low) / 2
    given = helper.make_tensor_value_info("joints", TensorProto.FLOAT, ["batch", 2])
    action = helper.make_tensor_value_info("action", TensorProto.FLOAT, ["batch", 2])
    constants = [
        numpy_helper.from_array((half * stretch).astype(np.float32), "half"),
        numpy_helper.from_array(low + half, "middle"),
        numpy_helper.from_array(np.float32(np.nan if is_nan else 0), "off"),
    ]
    nodes = [
        helper.make_node("Tanh", ["joints"], ["bent"]),
        helper.make_node("Mul", ["bent", "half"], ["scaled"]),
        helper.make_node("Add", ["scaled", "middle"], ["placed"]),
        helper.make_node("Add", ["placed", "off"], ["action"]),
    ]
    graph = helper.make_graph(nodes, "policy", [given], [action], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path


def policy_bundle(folder: Path, *, stretch: float = 1.0, is_nan: bool = False, golden_off: float = 0.0) -> PolicyBundle:
    """A policy's bundle in `folder/policy` with four golden samples; `golden_off` is added to the golden actions."""
    raw = np.array([[0.5, 0.0], [1.0, -1.0], [-3.0, 2.0], [0.0, 9.0]])
    inputs = ((raw - np.array([0.5, 0.0])) / np.array([2.0, 4.0])).astype(np.float32)
    outputs = expected(raw, stretch).astype(np.float32) + np.float32(golden_off)
    extra = {"golden.npz": golden_bytes(Golden({"joints": inputs}, {"action": outputs}))}
    model = write_policy(folder / "policy.onnx", stretch=stretch, is_nan=is_nan)
    write_any_bundle(model, policy_contract(), folder / "policy", extra)
    return load_policy_bundle(folder / "policy")
