"""What is seen on the live page in words: how it was solved, what is nearest, what is left out."""

from collections.abc import Sequence

import numpy as np

from odeflow.design import CONDITION
from odeflow.problem.status import ADVICE
from odeflow.report.live.picture import Picture
from odeflow.report.live.selection import Selection
from odeflow.report.live.solved import Solved, metric_of
from odeflow.report.live.stored import Stored


def said(
    stored: Stored,
    selection: Selection,
    shown: Sequence[Picture],
    solved: Sequence[Solved],
    took: float | str,
    nearest: int | None,
) -> str:
    """The line below the pictures.

    Arguments:
        stored: the experiment.
        selection: what is chosen.
        shown: the pictures.
        solved: trajectories that were solved.
        took: milliseconds of that, or why there is none.
        nearest: the row of the stored trajectory that is nearest to what is set.
    """
    parts = [took] if isinstance(took, str) else [_solved(stored, selection, solved, took)]
    if nearest is not None:
        row = np.array([nearest])
        values = [f"{x} = {stored.axis_values(x, row)[0]:.4g}" for x in stored.axes[:4]]
        at = f", at {', '.join(values)}" if values else ""
        under = f" under {_condition(stored, nearest)}" if stored.conditions else ""
        parts.append(f"Nearest stored: trajectory {nearest:,}{under}{at}.")
    if not shown:
        parts.append("Choose at least one variable.")
    parts += dict.fromkeys(f"Shown: {one.note}." for one in shown if one.note)
    if words := selection.in_words():
        parts.append(f"Stored trajectories are those of {words}.")
    return " ".join(filter(None, parts))


def _duration(milliseconds: float) -> str:
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.2g} s"
    return f"{milliseconds:.2g} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"


def _condition(stored: Stored, row: int) -> str:
    return stored.conditions[int(stored.ensemble[CONDITION].values[row])]


def _solved(stored: Stored, selection: Selection, solved: Sequence[Solved], took: float) -> str:
    sentences = []
    steps = ", ".join(f"{one.trajectory.num_steps:,}" for one in solved)
    steps += " step" if steps == "1" else " steps"
    methods = dict.fromkeys(one.trajectory.method for one in solved)
    sentences.append(f"Solved in {_duration(took)}: {steps} by {' and '.join(methods)}.")
    for one in solved:
        status = one.trajectory.status
        if status.is_failure:
            under = f" under {one.name}" if one.name else ""
            reached = f"{one.trajectory.time_reached:.6g}"
            sentences.append(
                f"It failed{under} at time {reached}, {status.name.replace('_', ' ')}: "
                f"{ADVICE[status]}."
            )
        if selection.metric is not None:
            number = metric_of(stored, selection.metric, one.trajectory)
            under = f" ({one.name})" if one.name else ""
            sentences.append(f"{selection.metric}{under} = {number:.5g}.")
    return " ".join(sentences)
