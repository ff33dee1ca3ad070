"""AMICI: C++ of the model, forward sensitivities by CVODES along logarithms of parameters."""

import fcntl
import os
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.antimony_models import sbml

LABEL = "AMICI, CVODES"
SERIAL = True
SIZED = False


def refuses(case: Any) -> str | None:
    """Why this cannot run a case."""
    import amici  # noqa: F401 # type: ignore
    import swig  # noqa: F401 # type: ignore

    return None


def compiled(case: Any, folder: Path) -> Any:
    """The model, compiled by the first of the processes that ask for it."""
    import amici  # type: ignore
    import swig  # type: ignore
    from amici.importers.sbml import SbmlImporter  # type: ignore

    (library,) = Path(swig.SWIG_SHARE_DIR).iterdir()
    os.environ |= {"SWIG": str(Path(swig.BIN_DIR) / "swig"), "SWIG_LIB": str(library)}
    target = folder / f"amici-{case.model_name}"
    with (folder / "amici.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            importer = SbmlImporter(sbml(case.model_name), from_file=False)
            importer.sbml2amici(case.model_name, str(target), verbose=False)
    return amici.import_model_module(case.model_name, str(target)).get_model()


def build(case: Any, size: int, cores: int) -> Any:
    import amici.sim.sundials as amici  # type: ignore

    model, along = compiled(case, Path(os.environ["BENCH_CACHE"])), case.sensitivities
    known = list(case.model.declared.parameters)
    places = [known.index(name) for name in along]
    varied = {name: known.index(name) for name in case.varied}
    model.set_timepoints(case.times)
    model.set_parameter_scale(amici.ParameterScaling.ln)
    ids = list(model.get_free_parameter_ids())
    model.set_parameter_list([ids.index(name) for name in along])
    solver = model.create_solver()
    solver.set_sensitivity_method(amici.SensitivityMethod.forward)
    solver.set_sensitivity_order(amici.SensitivityOrder.first)
    solver.set_max_steps(10**7)

    def solve(lanes, scale):
        solver.set_relative_tolerance(case.rtol * scale)
        solver.set_absolute_tolerance(case.atol * scale)
        out = np.full((lanes.size, len(case.times), len(case.model.components)), np.nan)
        for lane, args in enumerate(lanes.args.T):
            for name, place in varied.items():
                model.set_free_parameter_by_id(name, np.log(args[place]))
            found = amici.run_simulation(model, solver)
            if found.status == amici.AMICI_SUCCESS:
                slopes = found.sx / args[places][:, None]
                both = np.concatenate([found.x[:, None], slopes], 1)
                out[lane] = both.reshape(len(case.times), -1)
        return out

    solve(case.lanes(1), 1000.0)
    return solve


def values(case: Any, solution: Any) -> np.ndarray:
    return solution
