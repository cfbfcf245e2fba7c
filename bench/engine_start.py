"""How long an engine takes from nothing to its first result: ONNX Runtime, and TensorRT built and from the cache."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import msgspec

from bench.table import Line, show
from remote.perception.engines.build_process import Said
from remote.prove.children import build, ours, run
from remote.prove.measuring import NO_CACHE, Measured
from remote.prove.probing import Probed

ROUNDS = 5
RUNS = 20
BUNDLE = Path(__file__).parents[1] / "remote" / "bundles" / "tabletop"
CACHED_GOAL = 0.5
"""An engine from the cache takes at most this share of the time that building it takes, or the cache is for nothing."""


def main() -> int:
    """Each round in a fresh process, which inherits nothing that was loaded before."""
    with tempfile.TemporaryDirectory(prefix="fieldgate-bench-") as folder:
        work = Path(folder)
        probed = msgspec.json.decode(run(ours("remote.prove.probing"), cwd=work).out, type=Probed)
        lines, built_s = [], 0.0
        if not probed.why:
            said, ran = build(ours("remote.perception.engines.build_process", BUNDLE, work / "engines", 1), cwd=work)
            built_s = ran.seconds
            lines.append(Line("TensorRT, built", _built(said, ran.seconds), "-", "-", None))
        pairs = [(_round(work, NO_CACHE), _round(work, work / "engines")) for _ in range(ROUNDS)]
    plain_ms, here_ms = (statistics.median(one.here.first_ms for one in column) for column in zip(*pairs, strict=True))
    lines.insert(0, Line(pairs[0][0].here.engine, f"{plain_ms:.0f} ms", "-", "-", None))
    if probed.why:
        lines.append(
            Line("TensorRT, from the cache", f"not measured: {probed.why}", "-", f"<= {CACHED_GOAL:g} x", None)
        )
    else:
        ratio, peer = here_ms / 1000 / built_s, f"built {built_s:.1f} s"
        what = f"{ratio:.2f} x ({here_ms:.0f} ms)"
        lines.append(Line("TensorRT, from the cache", what, peer, f"<= {CACHED_GOAL:g} x", ratio <= CACHED_GOAL))
    show(f"From nothing to an engine's first result, {BUNDLE.name} (median of {ROUNDS} fresh processes)", lines)
    return 0


def _round(work: Path, cache: str | Path) -> Measured:
    ran = run(ours("remote.prove.measuring", BUNDLE, cache, 1, RUNS), cwd=work)
    return msgspec.json.decode(ran.out, type=Measured)


def _built(said: Said | None, seconds: float) -> str:
    if said is None or not said.engine:
        return f"no engine: {said.error.what if said and said.error else 'the build ended without an answer'}"
    return f"{seconds:.1f} s ({said.engine})"


if __name__ == "__main__":
    sys.exit(main())
