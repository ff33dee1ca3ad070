"""How many times faster the native engine is, and whether that is what was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import EQUAL


@dataclass(frozen=True)
class Asked:
    """A ratio asked for: time of the contender over time of the native engine."""

    case: str
    against: str
    ratio: float


ASKED = (
    Asked("seed", "naive", 45),
    Asked("seed_times", "naive", 25),
    Asked("seed", "numbalsoda", 18),
    Asked("seed_times", "numbalsoda", 10),
    Asked("seed", "cpp", 1),
    Asked("ring_6", "naive", 45),
    Asked("ring_24", "naive", 60),
    Asked("lorenz", "naive", 40),
    Asked("hodgkin_huxley", "naive", 10),
    Asked("robertson", "naive", 1500),
    Asked("robertson_times", "naive", 800),
    Asked("robertson_times", "numbalsoda", 30),
    Asked("hires", "numbalsoda", 18),
    Asked("pollution", "naive", 1200),
    Asked("pollution", "numbalsoda", 35),
)


@dataclass(frozen=True)
class Ratio:
    """A measured ratio; `native` and `other` are the runs that `equal` compares."""

    asked: Asked
    same_tolerance: float
    equal_error: float
    native: Mapping[str, Any]
    other: Mapping[str, Any]
    method: str | None

    @property
    def verdict(self) -> str:
        """Whether the ratio at equal or smaller error is what was asked for."""
        return "met" if self.equal_error >= self.asked.ratio else "missed"


def ratio(asked: Asked, results: Mapping[str, Any]) -> Ratio | None:
    """From the results of the case, by contender; None where one of the two did not run.

    Both are as exact as the more exact of their runs at the problem's tolerances: the contender
    with its tolerances tightened, the native engine with the method and tolerances that take it
    there soonest. Where the contender cannot get there it is compared as it is, less exact;
    where the native engine cannot, nothing counts as its ratio.
    """
    native, other = results.get("native", {}), results.get(asked.against, {})
    if "base" not in native or "base" not in other:
        return None
    same = other["base"]["microseconds"] / native["base"]["microseconds"]
    ours, theirs, method = native["base"], other.get("matched") or other["base"], None
    if f"as {asked.against}" in native:
        tightened = native[f"as {asked.against}"]
        if tightened is None:
            return Ratio(asked, same, 0.0, ours, theirs, None)
        ours, method = tightened["run"], tightened["method"]
    return Ratio(asked, same, theirs["microseconds"] / ours["microseconds"], ours, theirs, method)


def less_exact(run: Mapping[str, Any], than: Mapping[str, Any], certainty: float) -> bool:
    """Whether a run's error is the larger one, and above what the reference can tell."""
    return run["error"] > max(EQUAL * than["error"], certainty)
