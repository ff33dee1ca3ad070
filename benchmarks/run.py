"""The whole benchmark: every contender on every case, then the report.

    python -m benchmarks.run                      everything, about 40 minutes on an idle machine
    python -m benchmarks.run --left               what the folder's results do not have yet
    python -m benchmarks.run --quick              a smoke test: tiny ensembles, no meaningful times
    python -m benchmarks.run --only seed kepler   some cases; also: size, states, compile,
                                                  pipeline, gpu, and rivals: all their cases
    python -m benchmarks.run --only kepler --output benchmarks    into the page that is there

The whole run writes `benchmarks/`; a partial or quick one `build/bench/`. Each part is written as
soon as it is measured, in place of what the folder has of it: a run that is interrupted loses its
last part only, and writes the page all the same. Each measurement is a process of its own with a
time limit; what fails or is not installed is reported with its reason, and stops no other.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import contenders, pipeline, rivals
from benchmarks.problems import CASES, Case, find_case
from benchmarks.ratios import ASKED, less_exact
from benchmarks.report import write_report
from benchmarks.rival_cases import RIVALS

ROOT = Path(__file__).parents[1]
LADDER = tuple(float(10 ** (-k / 2)) for k in range(-2, 7))
WITH_LADDER = ("native", "naive", "numbalsoda", "cpp")
SIZES = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)
RING_STATES = (3, 6, 12, 24, 48)
COMPILED = ("seed", "ring_6", "ring_24", "hodgkin_huxley", "robertson", "hires", "pollution")
PACKAGES = ("jax", "diffrax", "numba", "numpy", "scipy", "numbalsoda", "gradsolve", "heyoka",
            "scikit-sundae", "casadi", "libroadrunner", "amici", "torch", "torchode")  # fmt: skip
#: Seconds of a part that was never measured.
ESTIMATE = 75.0
SECTIONS = ("size", "states", "compile", "pipeline", "gpu")
PARTS = (*CASES, *RIVALS, *SECTIONS)


class Session:
    """Starts measurements and keeps what they all share: folders, cores, the time so far."""

    def __init__(self, folder: Path, cores: int, quick: bool):
        self.folder, self.cores, self.quick = folder, cores, quick
        self._start = time.perf_counter()
        self._references: dict[str, float] = {}

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start

    def size(self, case: Case, name: str) -> int:
        """How many trajectories a contender solves."""
        size = case.sizes.get(name, 200 if name == "scipy" else case.size)
        return min(size, 32 if name in ("naive", "scipy") else 256) if self.quick else size

    def certainty(self, case: Case) -> float:
        """Solves the reference if it is not there; its difference to SciPy, in tolerances."""
        if case.name not in self._references:
            path = self.folder / f"{case.name}.npz"
            lanes = ["--lanes", "64" if self.quick else "256", "--cores", str(self.cores)]
            # A cache of its own, so that the native engine's compile time is not a cached one.
            cache = str(self.folder / "reference")
            self._python("reference", [case.name, str(path), *lanes], 300, BENCH_CACHE=cache)
            with np.load(path) as file:
                self._references[case.name] = float(file["check"])
        return self._references[case.name]

    def measure(self, case: Case, name: str, size: int, *options: Any, limit: int = 300) -> Any:
        """Runs `benchmarks.measure`; a dict with `reason` where it did not work."""
        self.certainty(case)
        budget = ["--budget", "0.1"] if self.quick else []
        arguments = [
            case.name, name, "--reference", str(self.folder / f"{case.name}.npz"),
            "--size", str(size), "--cores", str(self.cores), *budget, *map(str, options),
        ]  # fmt: skip
        reason = refusal(case, name)
        if reason is not None:
            return {"reason": reason}
        try:
            result = json.loads(self._python("measure", arguments, limit).splitlines()[-1])
        except subprocess.TimeoutExpired:
            result = {"reason": f"not done within {limit} s"}
        except (subprocess.CalledProcessError, ValueError, IndexError) as error:
            result = {"reason": f"its process failed: {error}"}
        base = result.get("base")
        said = (
            f"{base['microseconds']:.4g} us, error {base['error']:.3g}"
            if base
            else result["reason"]
        )
        print(f"{self.elapsed:6.0f} s  {case.name:16} {name:10} {size:8}  {said}", flush=True)
        return result

    def compile_time(self, case: Case) -> dict[str, Any] | None:
        """First and second run of a model, each in a new process; None where that failed."""
        with tempfile.TemporaryDirectory() as cache:
            run = lambda: json.loads(
                self._python("compile_time", [case.name], 300, BENCH_CACHE=cache).splitlines()[-1]
            )
            try:
                result = {"first": run(), "second": run()}
            except (subprocess.SubprocessError, ValueError) as error:
                print(f"{case.name}: compile time not measured: {error}")
                return None
        print(f"{self.elapsed:6.0f} s  {case.name:16} compile", flush=True)
        return result

    def gpu(self) -> dict[str, Any]:
        """The published comparison on a GPU; a dict with `reason` where it is not measured."""
        size = ["--size", "1000"] if self.quick else []
        try:
            return json.loads(self._python("gpu", size, 300).splitlines()[-1])
        except (subprocess.SubprocessError, ValueError, IndexError) as error:
            return {"reason": f"its process failed: {error}"}

    def _python(self, module: str, arguments: Sequence[str], limit: int, **extra: str) -> str:
        paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
        environment = os.environ | {"PYTHONPATH": paths, "BENCH_CACHE": str(self.folder)} | extra
        command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
        run = subprocess.run(
            command, env=environment, timeout=limit, check=True, text=True,
            stdout=subprocess.PIPE, stderr=None if module == "reference" else subprocess.DEVNULL,
        )  # fmt: skip
        return run.stdout


def refusal(case: Case, name: str) -> str | None:
    """Why a contender cannot run a case: it is not installed, or says so; None where it can."""
    try:
        module = contenders.load(name)
    except ImportError as error:
        return str(error)
    return module.refuses(case) if hasattr(module, "refuses") else None


def run_case(session: Session, case: Case) -> dict[str, Any]:
    """Every contender on a case; the less exact of a compared pair again, with equal error."""
    certainty = session.certainty(case)
    compared = [asked.against for asked in ASKED if asked.case == case.name]
    results: dict[str, Any] = {"certainty": certainty}
    ladder = ["--ladder", *(LADDER[2:5] if session.quick else LADDER), "--ladder-size"]
    order = ("native", *(name for name in contenders.NAMES if name != "native"))
    for name in order:
        size = session.size(case, name)
        options: list[Any] = []
        if name in WITH_LADDER:
            small = 100 if name == "naive" and case.stiff else max(size // 10, 500)
            options = [*ladder, small]
        native = results.get("native", {}).get("base")
        if name in compared and native:
            options += ["--match", native["error"]]
        results[name] = session.measure(case, name, size, *options)
    native = results["native"]
    for name in compared:
        other = results[name].get("base")
        if "base" in native and other:
            behind = less_exact(native["base"], other, certainty)
            error = (other if behind else native["base"])["error"]
            native[f"as {name}"] = as_exact(session, case, error, ladder)
    return results


def as_exact(session: Session, case: Case, error: float, ladder: list[Any]) -> Any:
    """The native engine at an error no larger than that: the faster of its two main methods.

    Each has the loosest tolerances of the ladder that are exact enough.
    """
    size = session.size(case, "native")
    found = []
    for method in ("rodas5p",) if case.stiff else ("tsit5", "rodas5p"):
        options = [*ladder, max(size // 10, 500), "--match", error, "--loosen", "--method", method]
        result = session.measure(case, "native", size, *options)
        exact = result.get("matched", result.get("base"))  # no `matched`: exact enough as it is
        if exact is not None:
            found.append({"method": method, "run": exact})
    return min(found, key=lambda f: f["run"]["microseconds"], default=None)


def time_against_size(session: Session) -> dict[str, Any]:
    """The seed system's end values for growing ensembles, as long as a run takes seconds."""
    sizes = SIZES[:2] if session.quick else SIZES
    results = {}
    for name in ("naive", "tuned", "diffrax", "native", "numbalsoda", "heyoka", "torchode"):
        options = ["--sizes", *sizes, "--budget", "0.1" if session.quick else "1"]
        results[name] = session.measure(CASES["seed"], name, sizes[0], *options).get("sizes", [])
    return results


def time_against_states(session: Session) -> dict[str, Any]:
    """Rings of more and more states."""
    results: dict[str, Any] = {}
    for name in ("naive", "diffrax", "native", "numbalsoda", "cpp"):
        results[name] = []
        for states in RING_STATES[:2] if session.quick else RING_STATES:
            size = 200 if session.quick else 20_000 // states if name == "naive" else 5000
            result = session.measure(find_case(f"ring_{states}"), name, size, "--budget", 1)
            if "base" in result:
                results[name].append({"states": states, **result["base"]})
    return results


def machine() -> dict[str, Any]:
    """The processor and the versions that the times belong to."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = lines[0].split(":")[1].strip() if lines else cpu
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return {"cpu": cpu, "python": platform.python_version(), "versions": versions}


def write_results(results: dict[str, Any], folder: Path) -> None:
    """All numbers so far, so that a run that is stopped leaves them; the old file or the new."""
    path = folder / "results.json"
    path.with_suffix(".part").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    path.with_suffix(".part").replace(path)


def known_results(folder: Path) -> dict[str, Any]:
    """What a folder has of earlier runs, of parts that there are still."""
    path = folder / "results.json"
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for group, names in (("cases", CASES), ("rivals", RIVALS), ("seconds", PARTS)):
        known[group] = {n: found for n, found in known.get(group, {}).items() if n in names}
    return known


def holder(results: dict[str, Any], name: str) -> dict[str, Any]:
    """Where a part's numbers are."""
    return results["cases" if name in CASES else "rivals"] if name not in SECTIONS else results


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke test")
    parser.add_argument("--only", nargs="+", choices=[*PARTS, "rivals"], metavar="NAME")
    parser.add_argument("--left", action="store_true", help="parts without results only")
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--output", type=Path, help="folder to write to")
    options = parser.parse_args()
    partial = options.quick or options.only
    output = options.output or (ROOT / "build" / "bench" if partial else ROOT / "benchmarks")
    output.mkdir(parents=True, exist_ok=True)
    names = list(options.only or PARTS)
    if "rivals" in names:
        names = [name for name in names if name != "rivals"] + list(RIVALS)
    results = known_results(output) | {"machine": machine() | {"cores": options.cores}}
    if options.left:
        names = [name for name in names if name not in holder(results, name)]
    minutes = sum(results["seconds"].get(name, ESTIMATE) for name in names) / 60
    print(f"{len(names)} parts, about {minutes:.0f} minutes", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder), options.cores, options.quick)
        try:
            for name in names:
                measure_into(results, session, name)
                write_results(results, output)
        except KeyboardInterrupt:
            print("interrupted: `--left` measures what has no results yet", flush=True)
    write_report(results, output)
    print(f"wrote {output / 'README.md'}")


def measure_into(results: dict[str, Any], session: Session, name: str) -> None:
    """Measures a part; one that fails stops no other, and leaves no older numbers."""
    found, start = holder(results, name), time.perf_counter()
    try:
        found[name] = measure_part(session, name)
    except Exception as error:
        found.pop(name, None)
        print(f"{name} is left out: {type(error).__name__}: {error}", flush=True)
    results["seconds"][name] = time.perf_counter() - start
    print(f"{session.elapsed / 60:6.1f} min: {name} is done", flush=True)


def measure_part(session: Session, name: str) -> Any:
    """The numbers of a case or section."""
    if name in CASES:
        return run_case(session, CASES[name])
    if name in RIVALS:
        return rivals.measure(name, session.folder, session.cores, session.quick)
    if name == "size":
        return time_against_size(session)
    if name == "states":
        return time_against_states(session)
    if name == "compile":
        compiled = COMPILED[:1] if session.quick else COMPILED
        times = {case: session.compile_time(CASES[case]) for case in compiled}
        return {case: t for case, t in times.items() if t is not None}
    found = session.gpu() if name == "gpu" else pipeline.measure(session.cores, session.quick)
    print(f"{name}: {found}", flush=True)
    return found


if __name__ == "__main__":
    main()
