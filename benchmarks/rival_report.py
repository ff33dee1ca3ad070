"""The page's part about rivals: where odeflow loses, first; then each case at equal errors."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.rival_cases import FLOOR, RTOL

#: Errors at which times are compared.
ERRORS = tuple(10.0**-k for k in range(2, 13))
SHOWN = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12)

INTRODUCTION = (
    "Each contender climbs from loose tolerances to tight ones, absolute ones a thousandth of "
    "relative ones. An error is relative, |y - reference| / (|reference| + "
    f"{FLOOR:g}), as a root mean square over trajectories and states; of a model in molecules "
    f"{FLOOR:g} stands for as much of 100,000, and derivatives count times the parameter's value. "
    "Times at an error are read off between tolerances; odeflow's is of its fastest method, named, "
    "and of the method that it chooses by itself apart. No ratio stands below what a reference is "
    "certain to. One trajectory alone is a call from Python, with all that it costs."
)


class Front(NamedTuple):
    """What a contender needs: errors from small to large, and the least time for each."""

    errors: np.ndarray
    times: np.ndarray

    def at(self, error: float) -> float | None:
        """Microseconds a trajectory for an error; None where it is never that exact."""
        if not len(self.errors) or error < self.errors[0]:
            return None
        logs = np.interp(math.log(error), np.log(self.errors), np.log(self.times))
        return float(np.exp(logs))


def front(found: Mapping[str, Any]) -> Front:
    """Of a contender's runs those that no other one beats in both error and time."""
    runs = [r for r in found.get("runs", []) if r["error"] > 0 and math.isfinite(r["error"])]
    kept: list[tuple[float, float]] = []
    for time, error in sorted((r["microseconds"], r["error"]) for r in runs):
        if not kept or error < kept[-1][0]:
            kept.append((error, time))
    errors, times = zip(*kept[::-1], strict=True) if kept else ((), ())
    return Front(np.array(errors), np.array(times))


class Compared(NamedTuple):
    """A case at an error: the fastest of odeflow and of the others, and odeflow's own choice."""

    error: float
    ours: float
    method: str
    theirs: float
    rival: str
    chosen: float | None

    @property
    def ratio(self) -> float:
        """Time of the rival over odeflow's; below 1 is a loss."""
        return self.theirs / self.ours


def is_ours(contender: str) -> bool:
    """Whether a contender is odeflow."""
    return contender.partition(":")[0] in ("native", "auto", "call")


def compare(case: Mapping[str, Any], error: float) -> Compared | None:
    """None where one side is not that exact, or the reference."""
    if error < case["certainty"]:
        return None
    times = {name: front(found).at(error) for name, found in case["contenders"].items()}
    known = {name: time for name, time in times.items() if time is not None}
    ours = {name: time for name, time in known.items() if is_ours(name)}
    theirs = {name: time for name, time in known.items() if not is_ours(name)}
    if not ours or not theirs:
        return None
    method, rival = min(ours, key=ours.__getitem__), min(theirs, key=theirs.__getitem__)
    return Compared(error, ours[method], method, theirs[rival], rival, known.get("auto"))


def losses(cases: Mapping[str, Any]) -> list[tuple[str, Compared, float]]:
    """Regions that are lost, the largest first: a case, its worst error, the region's other end."""
    found = []
    for name, case in cases.items():
        if "contenders" not in case:
            continue
        lost: list[Compared] = []
        for each in (*(compare(case, error) for error in ERRORS), None):
            if each is not None and each.ratio < 1:
                lost.append(each)
            elif lost:
                worst = min(lost, key=lambda c: c.ratio)
                found.append((name, worst._replace(error=lost[0].error), lost[-1].error))
                lost = []
    return sorted(found, key=lambda row: row[1].ratio)


def unreached(case: Mapping[str, Any]) -> str | None:
    """The smallest error of a rival that odeflow does not reach, in words."""
    smallest = lambda ours: min(
        (front(f).errors[0] for n, f in case["contenders"].items()
         if is_ours(n) == ours and len(front(f).errors)), default=math.inf,
    )  # fmt: skip
    own, other = max(smallest(True), case["certainty"]), max(smallest(False), case["certainty"])
    return f"odeflow's least error is {own:.0e}, a rival's {other:.0e}" if own > 3 * other else None


def rows_of(case: Mapping[str, Any], number: Any, label: Any) -> Sequence[list[str]]:
    """Rows of a case's table: each contender's times at the errors that are shown."""
    rows = []
    for name, found in case["contenders"].items():
        known = front(found)
        times = [known.at(error) for error in SHOWN]
        if not len(known.errors):
            continue
        seconds = found.get("compile_seconds")
        end = [f"{known.errors[0]:.0e}", "-" if seconds is None else f"{seconds:.1f}"]
        rows.append([label(name), *("-" if t is None else number(t) for t in times), *end])
    return rows


def missing(case: Mapping[str, Any], label: Any) -> list[str]:
    """What did not run, not to its end, or left trajectories without values, and why."""
    return [
        f"- {label(name)}: {reason}"
        for name, found in case["contenders"].items()
        for reason in (*([found["reason"]] if "reason" in found else []), *_lost(found))
    ]


def _lost(found: Mapping[str, Any]) -> list[str]:
    """At which tolerances some trajectories have no values."""
    lost = [r for r in found.get("runs", []) if not math.isfinite(r["error"])]
    each = [f"{r['scale'] * RTOL:.0e} ({r['failed']:,} of {r['size']:,})" for r in lost]
    return [f"trajectories without values at rtol {', '.join(each)}"] if each else []
