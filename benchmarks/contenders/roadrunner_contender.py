"""libRoadRunner: the model compiled by LLVM, CVODE; sensitivities by central differences.

Those that version 2.10 computes itself are along other parameters than were asked for.
"""

from typing import Any

import numpy as np

from benchmarks.antimony_models import sbml

LABEL = "libRoadRunner, CVODE"
SERIAL = True
SIZED = False
#: The part of a parameter by which it changes: rounding and what is left of the series are alike.
_CHANGE = 1e-3


def refuses(case: Any) -> str | None:
    """Why this cannot run a case."""
    import roadrunner  # noqa: F401 # type: ignore

    return None


def build(case: Any, size: int, cores: int) -> Any:
    import roadrunner  # type: ignore

    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
    model = roadrunner.RoadRunner(sbml(case.model_name))
    declared, width = case.model.declared, case.width
    states, known = list(declared.states)[:width], list(declared.parameters)
    numbers = [n for n, name in enumerate([*states, *known]) if name in case.varied]
    names = [[*states, *known][n] for n in numbers]
    along = [names.index(name) for name in case.sensitivities]
    model.timeCourseSelections = states

    def end(values):
        model.resetToOrigin()
        for name, value in zip(names, values, strict=True):
            model[name] = value
        return model.simulate(0.0, case.t1, 2)[-1]

    def solve(lanes, scale):
        integrator = model.integrator
        integrator.relative_tolerance = case.rtol * scale
        integrator.absolute_tolerance = case.atol * scale
        integrator.maximum_num_steps = 10**7
        given = np.concatenate([lanes.y0[:width], lanes.args])[numbers].T
        out = np.full((lanes.size, len(case.model.components)), np.nan)
        for lane, values in enumerate(given):
            try:
                rows = [end(values)]
                for place in along:
                    change = _CHANGE * values[place] * (np.arange(len(values)) == place)
                    above, below = end(values + change), end(values - change)
                    rows.append((above - below) / (2 * change[place]))
            except RuntimeError:
                continue
            out[lane] = np.concatenate(rows)
        return out[:, None]

    solve(case.lanes(1), 1000.0)
    return solve


def values(case: Any, solution: Any) -> np.ndarray:
    return solution
