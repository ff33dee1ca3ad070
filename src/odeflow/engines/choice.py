"""Which engine runs a problem, and why.

The engines are imported where they are needed: those who only name problems and lanes, as the
verification does, are spared two seconds.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from odeflow.files.errors import ConfigError
from odeflow.problem.methods import METHODS
from odeflow.problem.problem import Lanes, Problem, Progress, Solution
from odeflow.problem.time_resolution import check_span

Wanted = Literal["auto", "native", "diffrax"]
Device = Literal["auto", "cpu", "gpu"]
#: What all cores are; asked for once: that takes 5 microseconds.
CORES = os.cpu_count() or 1


class EngineChoice(NamedTuple):
    """The engine that runs, the reason where it is not the native one, and where it runs.

    The device is `auto` only for the diffrax engine: the one that JAX takes first.
    """

    name: Literal["native", "diffrax"]
    reason: str = ""
    device: Device = "cpu"


@dataclass(frozen=True)
class Resources:
    """What a solve may use: cores, and a folder for compiled code, by default the user's."""

    threads: int = CORES
    cache: Path | None = None


def choose_engine(problem: Problem, wanted: Wanted, device: Device = "auto") -> EngineChoice:
    """The engine for a problem: `auto` takes the native one where it applies.

    The native engine is on a GPU only where that is asked for. Raises ConfigError where `native`
    is demanded and cannot run the problem, or where neither engine can.
    """
    if problem.model.declared.delays:
        return _with_delays(problem, wanted, device)
    method = METHODS[problem.solver.method]
    if wanted == "diffrax":
        if not method.in_diffrax:
            raise ConfigError(
                f"solver.method: Diffrax has no {method.name}; take runtime.engine=auto or "
                f"solver={method.substitute}"
            )
        return EngineChoice("diffrax", "runtime.engine is diffrax", device)
    from odeflow.engines.native import engine as native_engine

    native_device = "gpu" if device == "gpu" else "cpu"
    refusal = native_engine.refusal(problem, native_device)
    if refusal is None:
        return EngineChoice("native", device=native_device)
    if not method.in_diffrax:
        why = refusal.rpartition("; ")[0]
        raise ConfigError(
            f"solver.method: {method.name} is not for this: {why}; take solver={method.substitute}"
        )
    if wanted == "native":
        raise ConfigError(f"runtime.engine: {refusal}; use runtime.engine=auto")
    return EngineChoice("diffrax", refusal, device)


def _with_delays(problem: Problem, wanted: Wanted, device: Device) -> EngineChoice:
    """The native engine, or a ConfigError: Diffrax has no delays."""
    from odeflow.engines.native import engine as native_engine
    from odeflow.engines.native.program.refusal import ELSEWHERE

    if wanted == "diffrax":
        raise ConfigError(
            "runtime.engine: diffrax has no delays, which the native engine solves; take "
            "runtime.engine=auto, or leave model.delays out"
        )
    refusal = native_engine.refusal(problem, "gpu" if device == "gpu" else "cpu")
    if refusal is not None:
        reason = refusal.removesuffix(ELSEWHERE)
        raise ConfigError(f"model.delays: {reason}; the diffrax engine has no delays")
    return EngineChoice("native")


def missing_device(engine: EngineChoice) -> str | None:
    """One line on the device of an engine where this machine does not have it, else None."""
    if engine.name == "native" and engine.device == "gpu":
        from odeflow.engines.native.loop import cuda_launch

        why = cuda_launch.missing_device()
        needed = "numba-cuda[cu12]"
    else:
        from odeflow.engines.diffrax import engine as diffrax_engine

        why = None
        try:
            diffrax_engine.devices(engine.device)
        except RuntimeError:
            why = f"JAX has no {engine.device} here"
        needed = "jax[cuda12]"
    if why is None:
        return None
    return (
        f"runtime.device: {engine.device}, but {why}; take runtime.device=cpu, or run where there "
        f'is one (pip install "{needed}")'
    )


def solve(
    problem: Problem,
    lanes: Lanes,
    engine: EngineChoice,
    resources: Resources,
    progress: Progress | None = None,
) -> Solution:
    """Solves every lane with the engine chosen.

    Raises ConfigError where the precision cannot tell the ends of the time span apart.
    """
    model = problem.model.declared
    check_span("model.t1", model.t0, model.t1, problem.dtype)
    if engine.name == "diffrax":
        from odeflow.engines.diffrax import engine as diffrax_engine

        return diffrax_engine.solve(problem, lanes, progress, engine.device)
    from odeflow.engines.native import engine as native_engine

    return native_engine.solve(
        problem,
        lanes,
        threads=resources.threads,
        progress=progress,
        cache_dir=resources.cache,
        device="gpu" if engine.device == "gpu" else "cpu",
    )
