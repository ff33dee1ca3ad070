"""Gradients of a fit: native forward sensitivities and Diffrax's adjoint, and where they cross.

    python -m benchmarks.adjoint                              16 species, 8 to 128 parameters
    python -m benchmarks.adjoint --method rodas5p             implicit; Kvaerno5 by Diffrax
    python -m benchmarks.adjoint --species 32 --lanes 64 --pairs 5

A ring of species that turn into one another by saturating reactions, one parameter each, observed
at ten times; the gradient of the squared distance to what was observed, for many parameter vectors
at once on one thread. Diffrax takes `jit(vmap(grad))` through `RecursiveCheckpointAdjoint`, its
advice for gradients. Prints milliseconds of a core for a gradient of each, their ratio, and how far
the gradients are apart. Compiling is told apart.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import yaml

import odeflow
from odeflow.analysis.estimation.estimates import make_objective
from odeflow.analysis.estimation.objective import Objective
from odeflow.engines.choice import Resources
from odeflow.ensemble.solve import configure_jax

TIMES = np.linspace(1.0, 10.0, 10)
RTOL, ATOL = 1e-6, 1e-8
#: What Diffrax takes beside each of odeflow's methods.
METHODS = {"tsit5": diffrax.Tsit5(), "rodas5p": diffrax.Kvaerno5()}
FIELD = """
import jax.numpy as jnp

FROM, TO = {start}, {end}


def field(t, y, args):
    k = jnp.stack([{rates}])
    flux = k * y.x[jnp.array(FROM)] / (1.0 + y.x[jnp.array(FROM)])
    change = jnp.zeros({species}).at[jnp.array(TO)].add(flux)
    return {{"x": change.at[jnp.array(FROM)].add(-flux)}}


def total(t, y, args):
    return {{"observed": jnp.dot(y.x, jnp.arange(1.0, {species} + 1.0))}}
"""


def reactions(species: int, number: int) -> tuple[list[int], list[int]]:
    """From where to where each reaction leads."""
    start = [r % species for r in range(number)]
    return start, [(i + 1 + r // species) % species for r, i in enumerate(start)]


def values_of(species: int) -> np.ndarray:
    return 1.0 + np.arange(species) % 3


def study(folder: Path, species: int, number: int, method: str) -> odeflow.Config:
    """A study of the fit: the model, its data and the parameters that are looked for."""
    start, end = reactions(species, number)
    names = [f"k{r}" for r in range(number)]
    rates = ", ".join(f"args.{name}" for name in names)
    (folder / "models.py").write_text(
        FIELD.format(start=start, end=end, rates=rates, species=species)
    )
    model = {
        "name": "ring", "vector_field": "models.py:field", "t1": float(TIMES[-1]),
        "states": {"x": {"initial": values_of(species).tolist(), "dims": ["place"]}},
        "parameters": {name: {"value": 1.0} for name in names},
        "observables": "models.py:total",
    }  # fmt: skip
    (folder / "config/model").mkdir(parents=True)
    (folder / "config/model/ring.yaml").write_text(yaml.safe_dump(model))
    rows = [f"{t},observed,{species * (species + 1.0)},1" for t in TIMES.tolist()]
    (folder / "data.csv").write_text("\n".join(["time,variable,value,sd", *rows]))
    found = {name: {"bounds": [0.01, 100.0], "scale": "lin"} for name in names}
    (folder / "config/experiment").mkdir()
    experiment = {
        "defaults": [{"override /model": "ring"}, {"override /analyse": "estimate"}],
        "name": "ring",
        "solver": {"rtol": RTOL, "atol": ATOL, "method": method},
        "analyse": {"estimate": {"data": "data.csv", "parameters": found}},
    }
    text = "# @package _global_\n" + yaml.safe_dump(experiment, sort_keys=False)
    (folder / "config/experiment/ring.yaml").write_text(text)
    return odeflow.compose("experiment=ring", study=folder)


def by_diffrax(species: int, number: int, solver: Any) -> Callable[[Any], Any]:
    start, end = map(jnp.array, reactions(species, number))
    weights, y0 = jnp.arange(1.0, species + 1.0), jnp.asarray(values_of(species))
    measured = species * (species + 1.0)

    def field(t: Any, y: Any, k: Any) -> Any:
        flux = k * y[start] / (1.0 + y[start])
        return jnp.zeros(species).at[end].add(flux).at[start].add(-flux)

    def loss(k: Any) -> Any:
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(field), solver, 0.0, TIMES[-1], None, y0, k,
            saveat=diffrax.SaveAt(ts=TIMES), max_steps=4096,
            stepsize_controller=diffrax.PIDController(rtol=RTOL, atol=ATOL),
        )  # fmt: skip
        assert solution.ys is not None
        return 0.5 * jnp.sum((solution.ys @ weights - measured) ** 2)

    return jax.jit(jax.vmap(jax.grad(loss)))


def core_seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    before = time.process_time()
    result = jax.block_until_ready(call())
    return time.process_time() - before, result


def compare(species: int, number: int, lanes: int, pairs: int, method: str) -> str:
    """One line of the table."""
    theta = np.random.default_rng(0).uniform(0.5, 1.5, (lanes, number))
    with tempfile.TemporaryDirectory() as folder:
        config = study(Path(folder), species, number, method)
        resources = Resources(threads=1)
        configure_jax(resources)
        objective: Objective = make_objective(config, config.study, resources)
        adjoint = by_diffrax(species, number, METHODS[method])
        calls = lambda: objective.slopes(theta).gradient, lambda: adjoint(theta)
        compiling, (ours, theirs) = zip(*(core_seconds(call) for call in calls), strict=True)
        timed = [[core_seconds(call)[0] for call in calls] for _ in range(pairs)]
    apart = np.abs(ours - theirs).max() / np.abs(theirs).max()
    one, other = (1e3 * statistics.median(column) / lanes for column in zip(*timed, strict=True))
    return (
        f"{number:10} {one:12.3f} {other:12.3f} {other / one:8.1f} {apart:10.1e}"
        f" {compiling[0]:9.1f} {compiling[1]:9.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--species", type=int, default=16)
    parser.add_argument("--lanes", type=int, default=256)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--parameters", type=int, nargs="+", default=[8, 16, 32, 64, 128])
    parser.add_argument("--method", choices=list(METHODS), default="tsit5")
    given = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    print(f"{given.species} species; ms of a core for a gradient, and seconds of the first call")
    print("parameters      odeflow      Diffrax    ratio      apart   first o.  first D.")
    for number in given.parameters:
        line = compare(given.species, number, given.lanes, given.pairs, given.method)
        print(line, flush=True)


if __name__ == "__main__":
    main()
