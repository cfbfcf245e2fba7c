"""Weights in another file: they would be read from wherever the model's maker says, on every machine that opens the bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from remote.errors import Trouble
from remote.manifest import CONTRACT, MANIFEST, MODEL, entry_of, manifest_bytes
from remote.models.bundle import load_bundle
from remote.models.weights_apart import refuse_weights_apart
from tests.tiny_models import tiny_bundle


def tensor(*, apart: bool) -> onnx.TensorProto:
    made = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    if apart:
        made.ClearField("float_data")
        made.data_location = TensorProto.EXTERNAL
        made.external_data.add(key="location", value="/etc/passwd")
    return made


def nested(model: onnx.ModelProto, weight: onnx.TensorProto) -> None:
    inner = helper.make_graph([helper.make_node("Constant", [], ["c"], value=weight)], "inner", [], [])
    model.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner))


def in_function(model: onnx.ModelProto, weight: onnx.TensorProto) -> None:
    made = helper.make_function("d", "F", [], ["c"], [helper.make_node("Constant", [], ["c"], value=weight)], [])
    model.functions.append(made)


PLACES: dict[str, Callable[[onnx.ModelProto, onnx.TensorProto], object]] = {
    "initializer": lambda model, weight: model.graph.initializer.append(weight),
    "sparse": lambda model, weight: model.graph.sparse_initializer.add().values.CopyFrom(weight),
    "nested": nested,
    "function": in_function,
    "training": lambda model, weight: model.training_info.add().algorithm.initializer.append(weight),
}


@pytest.mark.parametrize("place", PLACES)
def test_weights_in_another_file_are_found_wherever_they_hang(tmp_path: Path, place: str) -> None:
    model = onnx.load(tiny_bundle(tmp_path).model)
    PLACES[place](model, tensor(apart=False))
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    refuse_weights_apart(tmp_path / "m.onnx")
    PLACES[place](model, tensor(apart=True))
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(Trouble, match="/etc/passwd") as caught:
        refuse_weights_apart(tmp_path / "m.onnx")
    assert caught.value.code == "model_apart"


def test_a_bundle_with_weights_in_another_file_is_not_loaded(tmp_path: Path) -> None:
    made = tiny_bundle(tmp_path)
    model = onnx.load(made.model)
    model.graph.initializer.append(tensor(apart=True))
    made.model.write_bytes(model.SerializeToString())
    files = {name: entry_of(made.path / name) for name in (MODEL, CONTRACT)}
    (made.path / MANIFEST).write_bytes(manifest_bytes(made.contract.name, files))
    with pytest.raises(Trouble) as caught:
        load_bundle(made.path)
    assert caught.value.code == "model_apart"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_crash_the_look(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    path.write_bytes(data)
    try:
        refuse_weights_apart(path)
    except Trouble as trouble:
        assert trouble.code == "model_apart"  # noqa: PT017
