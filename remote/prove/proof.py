"""The proof: facts, what is here, builds, numbers and times beside ONNX Runtime, foreign engines refused, the robot's tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import metadata, util
from pathlib import Path
from typing import Any

import msgspec

from remote.atomic import write_atomically
from remote.perception.engines.build_process import Said
from remote.perception.engines.wishes import ONLY_ONNX_RUNTIME, Wishes, words_of
from remote.prove.children import Ran, build, interrupted, ours, run
from remote.prove.measuring import Measured
from remote.prove.probing import Probed
from remote.verdicts import Check, Verdict

BUILD = "remote.perception.engines.build_process"
MEASURE = "remote.prove.measuring"
RUNS = 300
"""So many that the largest time bounds the 99th percentile with 95 % confidence."""
RELATIVE_LIMIT = 0.02
"""How far TensorRT's outputs may be from ONNX Runtime's, as a share of the largest output: TF32 and FP16 stay below it."""
PACKAGES = (
    "tensorrt",
    "pycuda",
    "cuda-python",
    "cuda-bindings",
    "onnxruntime",
    "onnxruntime-gpu",
    "numpy",
    "jetson-stats",
)

Say = Callable[[str], None]


@dataclass
class Proof:
    """Gathers checks and files.

    Args:
        work: an empty folder; its files are packed afterwards.
        bundles: folders of verified bundles.
        tests: the folder of the robot's tests, None for none.
        threads: of ONNX Runtime.
        runs: of each engine.
        say: is told what is done now.
        wishes: how engines are built.

    `built` are the bundles that got an engine here.
    """

    work: Path
    bundles: Sequence[Path]
    tests: Path | None
    threads: int
    runs: int
    say: Say
    wishes: Wishes = field(default_factory=Wishes)
    checks: list[Check] = field(default_factory=list)
    built: list[Path] = field(default_factory=list)

    def run(self) -> tuple[Check, ...]:
        """All of it; each part goes on after another failed."""
        self._facts()
        probed = self._probe()
        names = [folder.name for folder in self.bundles]
        for number, folder in enumerate(self.bundles):
            unique = folder.name if names.count(folder.name) == 1 else f"{folder.name}-{number}"
            self._bundle(unique, folder, probed)
        self._safeguards(probed)
        self._tests()
        self.keep("checks.json", self.checks)
        return tuple(self.checks)

    def keep(self, name: str, what: object) -> None:
        """Write a file of the package."""
        data = what if isinstance(what, bytes) else msgspec.json.format(msgspec.json.encode(what), indent=2)
        write_atomically(self.work / name, data)

    def _add(self, name: str, verdict: Verdict, text: str, **more: Any) -> None:
        check = Check(name=name, verdict=verdict, text=text, **more)
        self.checks.append(check)
        self.say(f"{check.verdict:<12} {check.name:<24} {check.text}")

    # ------------------------------------------------------------ the machine

    def _facts(self) -> None:
        from remote.models.validation.machine import Machine

        machine = Machine()
        heat = machine.heat()
        self.keep(
            "facts.json",
            {
                "words": machine.words,
                "board": machine.board,
                "power_mode": machine.power_mode,
                "hottest_c": heat.hottest_c,
                "packages": {name: _version(name) for name in PACKAGES},
            },
        )
        if machine.board:
            hot = f", {heat.hottest_c:g} C" if heat.hottest_c is not None else ""
            power = machine.power_mode or "not known"
            self._add(
                "jetson", "pass", f"{machine.board}, L4T {machine.words.get('l4t', '?')}, power mode {power}{hot}"
            )
        else:
            self._add("jetson", "skipped", "this is no Jetson: what is proved here is proved for this machine only")

    def _probe(self) -> Probed:
        ran = run(ours("remote.prove.probing"), cwd=self.work, limit_s=120)
        try:
            probed = msgspec.json.decode(ran.out, type=Probed)
        except msgspec.DecodeError:
            self._add("probe", "fail", f"looking for TensorRT ended the process: {ran.last_words}")
            return Probed(why="looking for it ended the process")
        self.keep("probe.json", probed)
        if probed.gpu:
            text = f"{probed.gpu}, compute capability {probed.capability}, CUDA {probed.cuda}, {probed.memory_mb} MB"
            self._add("cuda", "pass", text)
        else:
            self._add("cuda", "skipped", probed.why)
        if probed.tensorrt:
            text = (
                f"TensorRT {probed.tensorrt}, buffers by {probed.buffers}, {len(probed.has)} names of its API are there"
            )
            self._add("tensorrt", "fail" if probed.why else "pass", probed.why or text)
        else:
            self._add("tensorrt", "skipped", probed.why)
        return probed

    # ------------------------------------------------------------ a bundle

    def _bundle(self, name: str, folder: Path, probed: Probed) -> None:
        cache = self.work.parent / "engines"
        if probed.why:
            self._add(f"build:{name}", "skipped", f"no TensorRT: {probed.why}")
        else:
            self._build(name, folder, cache)
        ran = self._measured(folder, cache, self.runs)
        try:
            measured = msgspec.json.decode(ran.out, type=Measured)
        except msgspec.DecodeError:
            self._add(f"measure:{name}", "fail", f"measuring ended the process: {ran.last_words}")
            return
        self.keep(f"measured-{name}.json", measured)
        self._latency(name, measured)
        self._parity(name, measured)

    def _build(self, name: str, folder: Path, cache: Path) -> None:
        said, ran = build(self._command(folder, cache), cwd=self.work)
        self.keep(f"build-{name}.txt", ran.out + b"\n" + ran.words.encode())
        if not _named(said, "TensorRT"):
            only = ONLY_ONNX_RUNTIME in _engine(said)
            self._add(f"build:{name}", "skipped" if only else "fail", _why(said, ran))
            return
        self.built.append(folder)
        again, second = build(self._command(folder, cache), cwd=self.work)
        found = _named(again, "TensorRT")
        text = f"{_engine(said)}: built with {in_words(self.wishes)} in {ran.seconds:.1f} s"
        text += f", found again in {second.seconds:.1f} s"
        faster = found and second.seconds < ran.seconds
        self._add(f"build:{name}", "pass" if faster else "fail", text, value=round(ran.seconds, 2), unit="s")

    def _latency(self, name: str, measured: Measured) -> None:
        for times in (measured.here, measured.peer)[: 1 if measured.same_engine else 2]:
            most = f"at most {times.p99_most_ms:.2f} ms" if times.p99_most_ms is not None else "n too small for a bound"
            text = f"{times.engine}: p50 {times.p50_ms:.2f}, p99 {times.p99_ms:.2f} ms ({most}, 95 %)"
            text += f", first result after {times.first_ms:.0f} ms"
            self._add(
                f"latency:{name}", "pass", text, value=times.p99_ms, bound=times.p99_most_ms, unit="ms", n=times.n
            )

    def _parity(self, name: str, measured: Measured) -> None:
        if measured.same_engine:
            self._add(f"parity:{name}", "skipped", "there is one engine only, ONNX Runtime")
            return
        text = f"largest difference {measured.largest_difference:.3g} on {measured.samples} {measured.inputs}"
        good = measured.finite and measured.largest_relative <= RELATIVE_LIMIT
        self._add(
            f"parity:{name}",
            "pass" if good else "fail",
            text if measured.finite else f"NaN or infinity; {text}",
            value=measured.largest_relative,
            limit=RELATIVE_LIMIT,
            n=measured.samples,
        )

    # ------------------------------------------------------------ what must not happen

    def _safeguards(self, probed: Probed) -> None:
        if not self.built:
            why = f"no TensorRT: {probed.why}" if probed.why else "no engine could be built"
            for name in ("called_off", "killed", "foreign"):
                self._add(name, "skipped", why)
            return
        self._interruption("called_off", kill=False)
        self._interruption("killed", kill=True)
        self._foreign()

    def _interruption(self, name: str, *, kill: bool) -> None:
        """A build that ends early leaves no engine."""
        cache = self.work.parent / f"engines-{name}"
        said, ran = interrupted(self._command(self.built[0], cache), cwd=self.work, kill=kill)
        left = [path.name for path in cache.glob("*.json")] if cache.is_dir() else []
        code = said.error.code if said and said.error else ""
        if _named(said, "TensorRT"):
            self._add(name, "inconclusive", f"the build was done in {ran.seconds:.1f} s, before it could be ended")
            return
        good = not left and (kill or code == "build_cancelled")
        how = f"ended after {ran.seconds:.1f} s, {len(left)} engines left" + (f", said {code}" if code else "")
        self._add(name, "pass" if good else "fail", how, value=round(ran.seconds, 2), unit="s")

    def _foreign(self) -> None:
        """A changed engine is not loaded: the worker falls back, the next build makes it anew."""
        cache = self.work.parent / "engines"
        for plan in sorted(cache.glob("*.plan")):
            with plan.open("r+b") as file:
                file.seek(100)
                file.write(b"not built here")
        ran = self._measured(self.built[0], cache, 1)
        try:
            engine = msgspec.json.decode(ran.out, type=Measured).here.engine
        except msgspec.DecodeError:
            self._add("foreign", "fail", f"a changed engine ended the process: {ran.last_words}")
            return
        refused = engine.startswith("ONNX Runtime") and "changed" in engine
        self._add("foreign", "pass" if refused else "fail", f"with a changed engine in the cache: {engine}")

    # ------------------------------------------------------------ the robot's tests

    def _tests(self) -> None:
        if self.tests is None or not self.tests.is_dir():
            self._add(
                "tests", "skipped", "no tests are here: give their folder with --tests (tests/remote of a checkout)"
            )
            return
        if util.find_spec("pytest") is None:
            self._add("tests", "skipped", "pytest is not installed here")
            return
        junit = self.work / "tests.xml"
        command = ours("pytest", self.tests.resolve(), "-q", "-p", "no:cacheprovider", f"--junitxml={junit}")
        ran = run(command, cwd=_checkout(self.tests))
        self.keep("tests.txt", ran.out + ran.words.encode())
        last = ran.out.decode("utf-8", "replace").strip().splitlines()
        self._add("tests", "pass" if ran.code == 0 else "fail", last[-1][:200] if last else ran.last_words)

    def _command(self, folder: Path, cache: Path) -> list[str]:
        return ours(BUILD, folder, cache, self.threads, words_of(self.wishes))

    def _measured(self, folder: Path, cache: Path, runs: int) -> Ran:
        return run(ours(MEASURE, folder, cache, self.threads, runs, words_of(self.wishes)), cwd=self.work)


def in_words(wishes: Wishes) -> str:
    """The wishes as they stand in the agent's settings, for people."""
    return f"precision {wishes.precision}, workspace_mb {wishes.workspace_mb}"


def _named(said: Said | None, word: str) -> bool:
    return said is not None and said.engine.startswith(word)


def _engine(said: Said | None) -> str:
    return said.engine if said else ""


def _why(said: Said | None, ran: Ran) -> str:
    if said is None:
        return f"the build ended without an answer: {ran.last_words}"
    return f"{said.error.code}: {said.error.what}" if said.error else f"it runs on {said.engine}"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _checkout(tests: Path) -> Path:
    """The folder that the tests are started in: the nearest one above them with a pyproject.toml."""
    whole = tests.resolve()
    return next((folder for folder in whole.parents if (folder / "pyproject.toml").exists()), whole.parent)
