"""The verdict on an ensemble, in words that say only what is true."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from odeflow.config.root import Config
from odeflow.trust.verification.compare import Checker, Comparison
from odeflow.trust.verification.judgement import Outcome
from odeflow.trust.verification.stepping import OutOfTimeError


class Verdict(NamedTuple):
    """`outcome` is that of the run, `reason` one line for it; of `asked` trajectories that were to
    be verified, `reached` were begun within `budget` seconds.
    """

    outcome: Outcome
    reason: str
    asked: int
    reached: int
    judged: int
    budget: float


def verdict_of(
    config: Config,
    checker: Checker,
    rows: Sequence[int],
    results: Sequence[Comparison],
    asked: int,
    budget: float,
    latest: float,
) -> Verdict:
    """The worst outcome of all, and why: the largest error relative to a variable's scale, in how
    many it is too large; then tolerances; then what could not be judged.

    What advice is tried ends at `latest` (`time.monotonic`).
    """
    judged = [i for i, one in enumerate(results) if one.judged.outcome != Outcome.not_judged]
    bad = {kind: [i for i in judged if results[i].judged.outcome == kind] for kind in Outcome}
    failed, loose = bad[Outcome.failed], bad[Outcome.tolerances_too_loose]
    outcome = Outcome.passed if judged else Outcome.not_judged
    if loose:
        outcome = Outcome.tolerances_too_loose
    if failed:
        outcome = Outcome.failed
    parts = []
    shown = failed or loose or judged or list(range(len(results)))
    known = [i for i in shown if not np.isnan(results[i].judged.worst.relative)]
    if known:
        place = max(known, key=lambda i: results[i].judged.worst.relative)
        parts += _errors(config, checker, rows[place], results[place], results, judged)
        if outcome == Outcome.tolerances_too_loose:
            parts.append(_advice(results[place], latest))
        if outcome == Outcome.failed:
            parts.append(
                f"in {len(failed):,} SciPy at the solver's own tolerances does not explain the "
                "error: the numbers are wrong"
            )
    parts += _not_judged(results)
    if len(results) < asked:
        parts.append(
            f"{len(results):,} of {asked:,} trajectories were reached in {budget:.3g} s "
            "(verify.budget)"
        )
    if not results:
        parts.append("no trajectory was solved again")
    return Verdict(
        outcome, "; ".join(filter(None, parts)), asked, len(results), len(judged), budget
    )


def _errors(
    config: Config,
    checker: Checker,
    row: int,
    result: Comparison,
    results: Sequence[Comparison],
    judged: Sequence[int],
) -> list[str]:
    worst, limit = result.judged.worst, config.verify.max_error
    t = None if np.isnan(worst.at) else worst.at
    at = "" if t is None else f" at {t:g}"
    over = limit if limit is not None else np.inf
    above = sum(results[i].judged.worst.relative > over for i in judged)
    share = f", above {over:.3g} in {above:,} of {len(judged):,}" if limit is not None else ""
    return [
        f"largest error {worst.relative:.2g} of the scale of {worst.variable} (sample {row}{at})"
        f"{share}",
        f"{worst.ratio:.3g} tolerances",
    ]


def _advice(result: Comparison, latest: float) -> str:
    if result.advice is None or time.monotonic() > latest:
        return "tighten solver.rtol and solver.atol"
    try:
        return result.advice(latest)
    except OutOfTimeError:
        return "tighten solver.rtol and solver.atol"


def _not_judged(results: Sequence[Comparison]) -> list[str]:
    """What could not be judged, by reason: which variables, or how many trajectories."""
    whole: Counter[str] = Counter()
    variables: dict[str, Counter[str]] = {}
    for one in results:
        for reason, names in one.judged.reasons.items():
            if names:
                variables.setdefault(reason, Counter()).update(names)
            else:
                whole[reason] += 1
    parts = [
        "without a verdict: "
        + ", ".join(f"{name} in {count:,}" for name, count in sorted(names.items()))
        + f" ({reason})"
        for reason, names in variables.items()
    ]
    parts += [
        f"without a verdict: {count:,} trajector{'y' if count == 1 else 'ies'} ({reason})"
        for reason, count in whole.items()
    ]
    return parts
