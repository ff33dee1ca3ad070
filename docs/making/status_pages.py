"""What pages of statuses take from the code: the line of advice, and every diagnosis there is.

A page of `docs/reference/status/` has a marker where these go, so that its words are written and
its advice is what the program says.
"""

from collections.abc import Iterator, Mapping

from odeflow.config.solver import SolverConfig
from odeflow.problem.status import ADVICE, Status
from odeflow.trust.diagnosis import Diagnosis, FailedTrajectory, diagnose

#: In a status' own page, and in the page of all.
ONE_MARKER, ALL_MARKER = "<!-- what odeflow says of it -->", "<!-- all statuses -->"


def filled(page: str, text: str) -> str:
    """The page with its markers replaced.

    Arguments:
        page: its name without a suffix, that of a status.
        text: its Markdown.
    """
    if ALL_MARKER in text:
        return text.replace(ALL_MARKER, _all())
    return text.replace(ONE_MARKER, _one(Status[page])) if ONE_MARKER in text else text


def _all() -> str:
    rows = ["| code | name | a failure | what it means |", "|---:|---|---|---|"]
    for status in Status:
        failure = "yes" if status.is_failure else "no"
        name = f"[`{status.name}`]({status.name}.md)"
        rows.append(f"| {status.value} | {name} | {failure} | {ADVICE[status]} |")
    return "\n".join(rows)


def _one(status: Status) -> str:
    parts = [
        f"Code **{status.value}** of the variable `status`. In one line: *{ADVICE[status]}*.",
    ]
    if status.is_failure:
        rows = ["| cause | advice |", "|---|---|"]
        found = dict.fromkeys(diagnose(one) for one in outcomes(status))
        rows += [f"| {cause} | {advice} |" for cause, advice in found]
        parts += ["What `failures.csv` and the page of a run say, with numbers of examples:"]
        parts += ["\n".join(rows)]
    return "\n\n".join(parts)


def diagnoses() -> list[Diagnosis]:
    """Every diagnosis that pages show."""
    failures = (status for status in Status if status.is_failure)
    return [diagnose(one) for status in failures for one in outcomes(status)]


def outcomes(status: Status) -> Iterator[FailedTrajectory]:
    """Failed trajectories of [0, 100], one for each cause that a status may have."""
    constant = SolverConfig(stepsize_controller="constant", dt0=0.01)
    explicit, implicit = SolverConfig(method="tsit5"), SolverConfig(method="kvaerno5")
    rodas, small = SolverConfig(method="rodas5p"), {"ligand": 3e-12}
    both = frozenset({"tsit5", "rodas5p"})
    match status:
        case Status.max_steps_reached:
            yield _failed(status, 40.0, 90_000, 10, explicit)
            yield _failed(status, 1e-3, 100_000, 20_000, explicit)
            yield _failed(status, 1e-3, 100_000, 20_000, explicit, tried=both)
            yield _failed(status, 1e-3, 100_000, 60_000, rodas)
            yield _failed(status, 0.0, 1_000, 1_000, explicit)
            yield _failed(status, 10.0, 1_000, 0, constant)
            yield _failed(status, 1e-3, 100_000, 60_000, rodas, starts=small)
        case Status.dt_min_reached:
            drift = SolverConfig(reject_drift=True)
            yield _failed(status, 31.4, 900, 40, explicit)
            yield _failed(status, 31.4, 900, 40, SolverConfig(dtmin=1e-6))
            yield _failed(status, 31.4, 900, 40, drift)
            yield _failed(status, 31.4, 900, 40, explicit, starts=small)
        case Status.non_finite:
            yield _failed(status, 31.4, 900, 40, explicit)
            yield _failed(status, 0.0, 1, 1, explicit)
            yield _failed(status, 31.4, 900, 0, constant)
            yield _failed(status, 31.4, 900, 40, explicit, starts=small)
        case Status.nonlinear_solve_failed:
            yield _failed(status, 31.4, 900, 40, implicit)
            yield _failed(status, 31.4, 900, 40, rodas)
            yield _failed(status, 31.4, 900, 40, implicit, starts=small)
        case Status.events_failed:
            yield _failed(status, 31.4, 900, 0, rodas)
        case Status.suspect:
            yield _failed(status, 31.4, 12, 0, SolverConfig(rtol=1e-3))
        case Status.history_full:
            yield _failed(status, 31.4, 2_000, 100, explicit)


def _failed(
    status: Status,
    time: float,
    steps: int,
    rejected: int,
    solver: SolverConfig,
    tried: frozenset[str] = frozenset(),
    starts: Mapping[str, float] = {},
) -> FailedTrajectory:
    return FailedTrajectory(status, 0.0, 100.0, time, steps, rejected, solver, tried, starts)
