"""Which engine runs a problem, and why.

The engines are imported where they are needed: those who only name problems and lanes, as the
verification does, are spared two seconds.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from odeflow.config.base import ConfigError
from odeflow.engine.problem import Lanes, Problem, Progress, Solution


class EngineChoice(NamedTuple):
    """The engine that runs, and the reason where it is not the native one."""

    name: Literal["native", "diffrax"]
    reason: str = ""


def _user_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "odeflow"


@dataclass(frozen=True)
class Resources:
    """What a solve may use: cores, and a folder for code compiled earlier."""

    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    cache: Path = field(default_factory=_user_cache)


def choose_engine(problem: Problem, wanted: Literal["auto", "native", "diffrax"]) -> EngineChoice:
    """The engine for a problem: `auto` takes the native one where it applies.

    Raises ConfigError where `native` is demanded and cannot run the problem.
    """
    if wanted == "diffrax":
        return EngineChoice("diffrax", "runtime.engine is diffrax")
    from odeflow.engine.native import engine as native_engine

    refusal = native_engine.refusal(problem)
    if refusal is None:
        return EngineChoice("native")
    if wanted == "native":
        raise ConfigError(f"runtime.engine: {refusal}; use runtime.engine=auto")
    return EngineChoice("diffrax", refusal)


def solve(
    problem: Problem,
    lanes: Lanes,
    engine: EngineChoice,
    resources: Resources,
    progress: Progress | None = None,
) -> Solution:
    """Solves every lane with the engine chosen."""
    if engine.name == "diffrax":
        from odeflow.engine import diffrax_engine

        return diffrax_engine.solve(problem, lanes, progress)
    from odeflow.engine.native import engine as native_engine

    return native_engine.solve(
        problem,
        lanes,
        threads=resources.threads,
        progress=progress,
        cache_dir=resources.cache / "native",
    )
