"""What speaks for and against an experiment's numbers: verification and invariants, in words."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.files.flags import flag_meaning, flag_meanings
from odeflow.trust.failures import failed_fraction


def complaints(
    config: Config, ensemble: xr.Dataset, verification: xr.Dataset | None, failures: str
) -> list[str]:
    """One line for each limit of the config that the results exceed: they fail the run.

    `failures` is the file that lists the failed trajectories.
    """
    found = list(filter(None, [failed_fraction(config, ensemble, failures)]))
    if verification is not None:
        verdict, reason = (verification.attrs[x] for x in ("verdict", "verdict_reason"))
        if verdict == "failed":
            found.append(f"verification failed: {reason}")
        elif verdict == "tolerances too loose":
            found.append(f"verification finds the tolerances too loose: {reason}")
    limit = config.verify.max_drift
    within = config.solver.reject_drift and config.saveat.ts is not None
    for name, drift in drifts(ensemble).items() if limit is not None else ():
        if drift.size and not np.nanmax(drift, initial=0.0) <= limit:
            found.append(
                f"invariant {name}: sample {int(np.nanargmax(drift))} drifts by "
                f"{np.nanmax(drift):.3g}, more than verify.max_drift {limit:g}; tighten "
                "solver.rtol and solver.atol"
                + (", since what is saved inside of steps drifts" if within else "")
            )
    return found


def drifts(ensemble: xr.Dataset) -> dict[str, np.ndarray]:
    """The drift of every trajectory in the order of the design's rows, by invariant."""
    return {
        variable.attrs["drift_of"]: variable.values.ravel()
        for variable in ensemble.data_vars.values()
        if "drift_of" in variable.attrs
    }


def drift_rows(ensemble: xr.Dataset) -> list[list[str]]:
    """One row per invariant: median, 99th percentile, largest drift and the sample that has it."""
    rows = []
    for name, drift in drifts(ensemble).items():
        known = drift[~np.isnan(drift)]
        if known.size:
            middle, high = np.percentile(known, [50, 99], method="higher")
            numbers = [f"{x:.2g}" for x in (middle, high, known.max())]
            rows.append([name, *numbers, f"{int(np.nanargmax(drift)):,}"])
    return rows


def verification_facts(verification: xr.Dataset) -> list[tuple[str, str]]:
    """The verdict, what was compared with what, and the errors."""
    known = verification.attrs
    method = verification["reference_method"]
    names = flag_meanings(method)
    used = sorted({names[int(code)] for code in method.values if code})
    outcome = verification["outcome"]
    kinds = [kind.replace("_", " ") for kind in flag_meanings(outcome)]
    counts = [f"{int((outcome.values == i).sum()):,} {kind}" for i, kind in enumerate(kinds)]
    return [
        ("verdict", f"{known['verdict']}: {known['verdict_reason']}"),
        (
            "solved again",
            f"{int(known['number_reached']):,} of {int(known['number_asked']):,} trajectories "
            f"({', '.join(text for text in counts if not text.startswith('0 '))}) with "
            f"{int(known['number_of_values']):,} saved values"
            f"{', by ' + ' and '.join(used) if used else ''}",
        ),
        ("error over scale", f"largest {known['relative_error_largest']:.3g}"),
        (
            "error over tolerance",
            f"median {known['error_ratio_median']:.3g}, 99th percentile "
            f"{known['error_ratio_99th_percentile']:.3g}, largest "
            f"{known['error_ratio_largest']:.3g}",
        ),
    ]


def worst_cases(verification: xr.Dataset, most: int) -> tuple[list[list[str]], Sequence[str]]:
    """The trajectories with the largest errors relative to scale, one row each, and the header."""
    axes = [
        str(name)
        for name, coordinate in verification.coords.items()
        if coordinate.dims == ("sample",) and name != "sample"
    ]
    errors = ["error over scale", "error over tolerance"]
    header = ["sample", "outcome", "variable", "time", *errors, *axes]
    ratio = verification["relative_error"].values
    order = [i for i in np.argsort(-ratio, kind="stable") if not np.isnan(ratio[i])][:most]
    rows = []
    for i in order:
        one = verification.isel(sample=int(i))
        numbers = [one["worst_time"], one["relative_error"], one["error_ratio"]]
        rows.append(
            [
                f"{int(one['sample']):,}",
                flag_meaning(one["outcome"]).replace("_", " "),
                flag_meaning(one["worst_variable"]),
                *(f"{float(x):.4g}" for x in numbers),
                *(f"{float(one[name]):.6g}" for name in axes),
            ]
        )
    return rows, header
