"""From an ONNX file to a plan for this GPU, on TensorRT 8.5 to 11."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from remote.errors import Trouble
from remote.model_states import Progress
from remote.perception.engines.tensorrt import refusals
from remote.perception.engines.tensorrt.probe import Found
from remote.perception.engines.tensorrt.progress import Cancelled, Say, make_monitor
from remote.perception.engines.tensorrt.words import Words
from remote.perception.engines.wishes import Wishes

Shapes = Mapping[str, tuple[int, ...]]
_MB = 1024 * 1024


@dataclass(frozen=True)
class Plan:
    """What was built: the plan, the timing cache as it is now, the network's layers before they were fused."""

    data: bytes
    timing: bytes
    layers: int


def build_plan(
    found: Found,
    model: bytes,
    shapes: Shapes,
    wishes: Wishes,
    *,
    say: Say,
    cancelled: Cancelled,
    timing: bytes = b"",
) -> Plan:
    """Build. Takes seconds to many minutes, much memory and the GPU.

    Args:
        found: the TensorRT that builds.
        model: the ONNX file's bytes.
        shapes: the shape of each input; those that the model leaves open get a profile.
        wishes: precision and memory.
        say: is told how far it is, where this TensorRT tells.
        cancelled: true ends the build, where this TensorRT asks.
        timing: the timing cache of an earlier build here, made by the same TensorRT on the same GPU.

    Raises:
        Trouble: `model_unreadable`, `engine_layer`, `model_mismatch`, `engine_out_of_memory`, `engine_not_built`,
            `build_cancelled`, `engine_precision`; each with its cure.
    """
    trt, words = found.trt, Words(found.trt)
    refuse_precision(found, wishes)
    say(Progress(done=0, text="reading the model"))
    builder = _made(lambda: trt.Builder(words.logger), words, "a builder")
    network = _made(lambda: builder.create_network(_network_flags(found, wishes)), words, "a network")
    _parse(trt, network, words, model)
    _refuse_other_inputs(network, shapes)
    config = _configured(found, builder, network, words, shapes, wishes)
    cache = _use_timing(config, timing)
    monitor = None
    if found.monitored:
        monitor = make_monitor(trt, say, cancelled)
        config.progress_monitor = monitor
    data = _serialized(builder, network, config, words, wishes, cancelled)
    del monitor  # TensorRT does not own it: it had to live until here
    said = config.get_timing_cache() if cache is not None else None
    return Plan(data, bytes(said.serialize()) if said is not None else b"", network.num_layers)


def _configured(found: Found, builder: Any, network: Any, words: Words, shapes: Shapes, wishes: Wishes) -> Any:
    config = _made(builder.create_builder_config, words, "a build configuration")
    config.set_memory_pool_limit(found.trt.MemoryPoolType.WORKSPACE, wishes.workspace_mb * _MB)
    _allow_types(found, network, config, wishes)
    _add_profile(builder, network, config, shapes)
    return config


def refuse_precision(found: Found, wishes: Wishes) -> None:
    """Raise Trouble `engine_precision` where this TensorRT can't be allowed half precision."""
    if wishes.precision == "fp16" and not found.half_flag:
        cure = "Make an FP16 bundle with `fieldgate model optimise BUNDLE --fp16` and build that as it is"
        what = (
            f"TensorRT {found.version} computes in the types that the model is written in and can't be allowed others"
        )
        raise Trouble(what, cure=cure, code="engine_precision")


def _network_flags(found: Found, wishes: Wishes) -> int:
    """Strongly typed where that is possible and no other type is wished for; explicit batch where it must be asked for."""
    flags = getattr(found.trt, "NetworkDefinitionCreationFlag", None)
    bits = 0
    # Attributes that are deprecated may go at any release; from 10 on all networks have an explicit batch.
    if not found.typed and hasattr(flags, "EXPLICIT_BATCH"):
        bits |= 1 << int(flags.EXPLICIT_BATCH)  # type: ignore[union-attr]
    if found.typed and wishes.precision == "as_exported":
        bits |= 1 << int(flags.STRONGLY_TYPED)  # type: ignore[union-attr]
    return bits


def _made(make: Any, words: Words, what: str) -> Any:
    """What `make` gives, which is None or an error where TensorRT can't."""
    try:
        made = make()
    except (RuntimeError, TypeError) as error:
        made, said = None, str(error)
    else:
        said = ""
    if made is None:
        cure = "Look whether `fieldgate-agent prove` finds the GPU and TensorRT whole"
        raise Trouble(f"TensorRT gives no {what[2:]}: {words.last or said}", cure=cure, code="engine_not_built")
    return made


def _parse(trt: Any, network: Any, words: Words, model: bytes) -> None:
    parser = _made(lambda: trt.OnnxParser(network, words.logger), words, "a parser")
    if not parser.parse(model):
        raise refusals.refused_by_parser(parser, words)


def _refuse_other_inputs(network: Any, shapes: Shapes) -> None:
    inputs = {one.name: tuple(one.shape) for one in map(network.get_input, range(network.num_inputs))}
    if set(inputs) != set(shapes):
        raise refusals.mismatch(f"the model's inputs are {sorted(inputs)}; the contract's are {sorted(shapes)}")
    for name, has in inputs.items():
        wants = shapes[name]
        if len(has) != len(wants) or any(a not in (-1, b) for a, b in zip(has, wants, strict=True)):
            raise refusals.mismatch(f"input {name!r} is {list(has)} in the model and {list(wants)} in the contract")


def _allow_types(found: Found, network: Any, config: Any, wishes: Wishes) -> None:
    """Flags for TensorRTs that compute in FP32 unless allowed otherwise; a strongly typed network takes none."""
    if found.typed and wishes.precision == "as_exported":
        return
    trt = found.trt
    layers = [network.get_layer(index) for index in range(network.num_layers)]
    halves = any(_gives(layer, trt.DataType.HALF) for layer in layers)
    if found.half_flag and (wishes.precision == "fp16" or halves):
        config.set_flag(trt.BuilderFlag.FP16)
    quantised = any(layer.type == trt.LayerType.QUANTIZE for layer in layers)
    if quantised and hasattr(trt.BuilderFlag, "INT8"):
        config.set_flag(trt.BuilderFlag.INT8)


def _gives(layer: Any, dtype: Any) -> bool:
    outputs = (layer.get_output(index) for index in range(layer.num_outputs))
    return any(output is not None and output.dtype == dtype for output in outputs)


def _add_profile(builder: Any, network: Any, config: Any, shapes: Shapes) -> None:
    """One profile for inputs with open dimensions: the contract's size is the only one that comes."""
    inputs = [network.get_input(index) for index in range(network.num_inputs)]
    open_ones = [one.name for one in inputs if -1 in tuple(one.shape)]
    if not open_ones:
        return
    profile = builder.create_optimization_profile()
    for name in open_ones:
        profile.set_shape(name, shapes[name], shapes[name], shapes[name])
    config.add_optimization_profile(profile)


def _use_timing(config: Any, timing: bytes) -> Any:
    """Let the build begin with what an earlier one measured; None where this TensorRT wants no timing cache."""
    cache = config.create_timing_cache(timing)
    if cache is None and timing:
        cache = config.create_timing_cache(b"")  # it was another TensorRT's after all
    if cache is not None:
        config.set_timing_cache(cache, False)  # False: not one of another GPU
    return cache


def _serialized(builder: Any, network: Any, config: Any, words: Words, wishes: Wishes, cancelled: Cancelled) -> bytes:
    try:
        plan = builder.build_serialized_network(network, config)
    except (RuntimeError, MemoryError) as error:
        words.hear("ERROR", str(error) or type(error).__name__)
        plan = None
    if cancelled():
        raise refusals.called_off()
    if plan is None:
        raise refusals.nothing_built(words, wishes.workspace_mb)
    return bytes(plan)
