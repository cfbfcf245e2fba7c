"""Weights in another file: they would be read from wherever the model's maker says, on every machine that opens the bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from remote.errors import Trouble
from remote.manifest import CONTRACT, MANIFEST, MODEL, entry_of, manifest_bytes
from remote.models.bundle import load_bundle
from remote.models.weights_apart import refuse_apart_in, refuse_weights_apart
from tests.tiny_models import tiny_bundle


def tensor(*, apart: bool) -> onnx.TensorProto:
    made = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    if apart:
        made.ClearField("float_data")
        made.data_location = TensorProto.EXTERNAL
        made.external_data.add(key="location", value="/etc/passwd")
    return made


def constant(weight: onnx.TensorProto) -> onnx.NodeProto:
    return helper.make_node("Constant", [], ["c"], value=weight)


def nested(model: onnx.ModelProto, weight: onnx.TensorProto) -> None:
    inner = helper.make_graph([constant(weight)], "inner", [], [])
    model.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner))


def twice_nested(model: onnx.ModelProto, weight: onnx.TensorProto) -> None:
    inner = onnx.ModelProto()
    nested(inner, weight)
    attribute(model).graphs.add().CopyFrom(inner.graph)


def in_function(model: onnx.ModelProto, weight: onnx.TensorProto) -> None:
    model.functions.append(helper.make_function("d", "F", [], ["c"], [constant(weight)], []))


def attribute(model: onnx.ModelProto) -> onnx.AttributeProto:
    return model.graph.node.add(op_type="Constant", output=["c"]).attribute.add(name="value")


PLACES: dict[str, Callable[[onnx.ModelProto, onnx.TensorProto], object]] = {
    "initializer": lambda model, weight: model.graph.initializer.append(weight),
    "sparse": lambda model, weight: model.graph.sparse_initializer.add().values.CopyFrom(weight),
    "sparse, its indices": lambda model, weight: model.graph.sparse_initializer.add().indices.CopyFrom(weight),
    "a node's tensor": lambda model, weight: attribute(model).t.CopyFrom(weight),
    "a node's tensors": lambda model, weight: attribute(model).tensors.append(weight),
    "a node's sparse tensor": lambda model, weight: attribute(model).sparse_tensor.values.CopyFrom(weight),
    "a node's sparse tensors": lambda model, weight: attribute(model).sparse_tensors.add().indices.CopyFrom(weight),
    "nested": nested,
    "twice nested": twice_nested,
    "function": in_function,
    "a function's default": lambda model, weight: model.functions.add().attribute_proto.add().t.CopyFrom(weight),
    "training": lambda model, weight: model.training_info.add().algorithm.initializer.append(weight),
    "training, its beginning": lambda model, weight: model.training_info.add().initialization.initializer.append(
        weight
    ),
}


def refused(model: onnx.ModelProto, path: Path) -> str:
    """What is said of it; empty where it is taken."""
    path.write_bytes(model.SerializeToString())
    try:
        refuse_weights_apart(path)
    except Trouble as trouble:
        assert trouble.code == "model_apart"  # noqa: PT017
        return trouble.what
    return ""


@pytest.mark.parametrize("place", PLACES)
def test_weights_in_another_file_are_found_wherever_they_hang(tmp_path: Path, place: str) -> None:
    model = onnx.load(tiny_bundle(tmp_path).model)
    PLACES[place](model, tensor(apart=False))
    assert refused(model, tmp_path / "m.onnx") == ""
    PLACES[place](model, tensor(apart=True))
    assert "/etc/passwd" in refused(model, tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("location", "entries", "says"),
    [
        (TensorProto.EXTERNAL, [], "another file"),
        (TensorProto.EXTERNAL, [("offset", "0")], "another file"),
        (TensorProto.EXTERNAL, [("offset", "0"), ("location", "weights.bin")], "'weights.bin'"),
        (TensorProto.DEFAULT, [("location", "weights.bin")], "'weights.bin'"),
        (TensorProto.DEFAULT, [], ""),
    ],
)
def test_a_half_told_place_is_a_place_too(
    tmp_path: Path, location: TensorProto.DataLocation, entries: list[tuple[str, str]], says: str
) -> None:
    """Engines differ in which of the two marks they follow."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1], data_location=location)
    for key, value in entries:
        weight.external_data.add(key=key, value=value)
    said = refused(helper.make_model(helper.make_graph([], "g", [], [], [weight])), tmp_path / "m.onnx")
    assert says in said
    assert bool(said) == bool(says)


def any_apart(message: Message) -> bool:
    """The same by protobuf's own reading, in whatever field a tensor may hang."""
    if isinstance(message, TensorProto):
        return message.data_location == TensorProto.EXTERNAL or bool(message.external_data)
    inner = (value for field, value in message.ListFields() if field.type == field.TYPE_MESSAGE)
    return any(any_apart(one) for value in inner for one in ([value] if isinstance(value, Message) else value))


def full_model() -> bytes:
    """A tensor in each place, one of them in another file."""
    model = helper.make_model(helper.make_graph([], "g", [], []))
    for number, place in enumerate(PLACES.values()):
        place(model, tensor(apart=number == 5))
    return bytes(model.SerializeToString())


FULL = full_model()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4))
def test_what_protobuf_reads_as_apart_is_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[float, int]]
) -> None:
    """A file that is read in two ways would pass here and open another file in the engine."""
    data = bytearray(FULL)
    for share, byte in changes:
        data[int(share * (len(data) - 1))] = byte
    try:
        model = onnx.load_model_from_string(bytes(data))
    except DecodeError:
        return
    if any_apart(model):
        with pytest.raises(Trouble, match="keeps weights in"):
            refuse_apart_in(bytes(data), Path("m.onnx"))


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
