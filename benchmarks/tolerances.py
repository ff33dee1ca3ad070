"""Would absolute tolerances that follow each state's own scale be a better default?

    python -m benchmarks.tolerances

Each model is solved at its nominal values with three absolute tolerances: the default, 1e-8 for
all; `start`, 1e-8 of each state's initial value (of the largest one where a state starts at 0); and
`pilot`, 1e-8 of the largest value that each state has in a first solve. Prints the steps and the
largest error of any state, relative to the largest size of that state, against a solution at
`rtol` 1e-11 and 1e-13 of each scale.
"""

import sys
from collections.abc import Mapping

import numpy as np
import xarray as xr

import odeflow

FRACTION = 1e-8
#: A model, what is changed of it, and the method.
CASES: dict[str, tuple[str, list[str], str]] = {
    "seed system": ("michaelis_menten", [], "tsit5"),
    "seed system, amounts of 1e-12": (
        "michaelis_menten",
        [
            "model.states.substrate.initial=1e-11",
            "model.states.enzyme.initial=2e-13",
            "model.parameters.km.value=5e-12",
        ],
        "tsit5",
    ),
    "pk_one_compartment": ("pk_one_compartment", [], "tsit5"),
    "repressilator": ("repressilator", [], "tsit5"),
    "lorenz63": ("lorenz63", ["model.t1=5"], "tsit5"),
    "hires": ("hires", [], "rodas5p"),
    "pollution": ("pollution", [], "rodas5p"),
    "robertson": ("robertson", ["model.t1=1e5"], "rodas5p"),
    "van_der_pol": ("van_der_pol", ["model.parameters.mu.value=1000"], "rodas5p"),
}


def solve(case: str, rtol: float, atol: Mapping[str, float] | float) -> xr.Dataset | None:
    """The course of a case; None where the solver fails."""
    model, changes, method = CASES[case]
    end = odeflow.compose("~experiment", f"model={model}", *changes).model.t1
    if isinstance(atol, Mapping):
        tolerance = "{" + ",".join(f"{name}:{float(x)!r}" for name, x in atol.items()) + "}"
    else:
        tolerance = repr(atol)
    dataset = odeflow.run(
        odeflow.compose(
            "~experiment", f"model={model}", "design.axes={}", f"solver={method}", *changes,
            f"solver.rtol={rtol!r}", f"solver.atol={tolerance}", "solver.max_steps=1000000",
            f"saveat.ts={{linspace:[0,{end!r},201]}}",
            "runtime.retry=[]", "summary.metrics=[]", "saveat.variables=null",
        )
    )  # fmt: skip
    return dataset if int(dataset["status"].values.ravel()[0]) == 0 else None


def courses(dataset: xr.Dataset, names: list[str]) -> dict[str, np.ndarray]:
    """Each state over time."""
    return {name: dataset[name].values.ravel() for name in names}


def line(case: str) -> str:
    """One row of the table."""
    model, changes, _ = CASES[case]
    config = odeflow.compose("~experiment", f"model={model}", *changes)
    initial = {n: float(np.max(np.abs(s.initial))) for n, s in config.model.states.items()}
    largest = max(initial.values())
    first = solve(case, 1e-6, 1e-8 * largest)
    if first is None:
        return f"| {case} | the first solve fails |"
    names = list(initial)
    scales = {n: float(np.abs(x).max()) for n, x in courses(first, names).items()}
    exact = solve(case, 1e-11, {n: 1e-13 * s for n, s in scales.items()})
    if exact is None:
        return f"| {case} | the reference fails |"
    reference = courses(exact, names)
    choices: dict[str, Mapping[str, float] | float] = {
        "default": 1e-8,
        "start": {n: FRACTION * (x or largest) for n, x in initial.items()},
        "pilot": {n: FRACTION * s for n, s in scales.items()},
    }
    cells = []
    for atol in choices.values():
        found = solve(case, 1e-6, atol)
        if found is None:
            cells += ["-", "failed"]
            continue
        got = courses(found, names)
        error = max(
            float(np.abs(got[n] - reference[n]).max() / np.abs(reference[n]).max()) for n in names
        )
        cells += [f"{int(found['num_steps'].values.ravel()[0]):,}", f"{error:.1e}"]
    return f"| {case} | " + " | ".join(cells) + " |"


def main() -> None:
    """See the module."""
    head = "| model | default: steps | error | start: steps | error | pilot: steps | error |"
    sys.stdout.write(head + "\n|" + " --- |" * 7 + "\n")
    for case in CASES:
        sys.stdout.write(line(case) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
