"""`odeflow.ensemble_solve` in place of `jit(vmap(diffeqsolve))`, for the README's first model.

    python -m benchmarks.ensemble_solve                      100,000 trajectories, three pairs
    python -m benchmarks.ensemble_solve --state dict         the state by name
    python -m benchmarks.ensemble_solve --lanes 4096 --pairs 5
    python -m benchmarks.ensemble_solve --calls 50           what a second call costs, and no pairs

Both solve the same Michaelis-Menten problem to the same tolerance, saved at 121 times, and are
asked in turn, so that a machine whose speed drifts slows both. A pair is one solve by Diffrax and
the fastest of a few by odeflow, which are short. Prints the seconds of each pair and their ratio
(Diffrax / odeflow), that of the fastest of all and of the processor's time, the largest difference
between the two and the largest error of each, in units of the state, and whether all counts of
steps are equal.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

import odeflow
from benchmarks.fields import array_field

TS = np.linspace(0.0, 120.0, 121)
#: Trajectories of which the error is looked at, by a solve to a tight tolerance.
CHECKED = 256
#: Solves by odeflow in a pair.
SHORT = 7


def by_name(t: Any, y: Any, args: Any) -> Any:
    del t
    vmax, km = args
    rate = y["enzyme"] * vmax * y["substrate"] / (km + y["substrate"])
    return {"substrate": -rate, "enzyme": 0.09 * rate}


#: How the state is written, which changes what Diffrax takes: its field and its initial value.
STATES = {
    "array": (diffrax.ODETerm(array_field("michaelis_menten")), np.array([10.0, 0.2])),
    "dict": (diffrax.ODETerm(by_name), {"substrate": 10.0, "enzyme": 0.2}),
}
SOLVER = diffrax.Tsit5()


def settings(rtol: float = 1e-6, atol: float = 1e-8) -> dict[str, Any]:
    controller = diffrax.PIDController(rtol=rtol, atol=atol)
    return {"saveat": diffrax.SaveAt(ts=TS), "stepsize_controller": controller}


def by_odeflow(args: Any, state: str, known: dict[str, Any], **more: Any) -> Any:
    term, y0 = STATES[state]
    return odeflow.ensemble_solve(
        term, SOLVER, 0.0, 120.0, 0.1, y0, args, in_axes=(None, 0), **known, **more
    )


def by_diffrax(state: str, known: dict[str, Any]) -> Callable[[Any], Any]:
    term, y0 = STATES[state]

    def one(args: Any) -> Any:
        return diffrax.diffeqsolve(term, SOLVER, 0.0, 120.0, 0.1, y0, args, **known)

    return jax.jit(jax.vmap(one))


def parameters(lanes: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    return draw.uniform(8.0, 12.0, lanes), draw.uniform(4.0, 6.0, lanes)


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = jax.block_until_ready(call())
    return time.perf_counter() - start, result


def processor_seconds(call: Callable[[], Any]) -> float:
    """Seconds of all cores, which what else runs on the machine does not change as much."""
    start = time.process_time()
    jax.block_until_ready(call())
    return time.process_time() - start


def largest(one: Any, other: Any) -> float:
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return max(float(np.max(np.abs(np.asarray(a) - np.asarray(b)))) for a, b in pairs)


def pairs(lanes: int, number: int, state: str = "array") -> float:
    """Prints the comparison and gives the median ratio."""
    args, known = parameters(lanes), settings()
    theirs = by_diffrax(state, known)
    first = {"odeflow": seconds(lambda: by_odeflow(args, state, known))[0]}
    first["diffrax"] = seconds(lambda: theirs(args))[0]
    print(f"{lanes:,} trajectories; first call: {first['odeflow']:.1f} s, {first['diffrax']:.1f} s")
    ratios, ours, other, fastest = [], None, None, (np.inf, np.inf)
    for _ in range(number):
        short = [seconds(lambda: by_odeflow(args, state, known)) for _ in range(SHORT)]
        ours_s, ours = min(short, key=lambda pair: pair[0])
        other_s, other = seconds(lambda: theirs(args))
        ratios.append(other_s / ours_s)
        fastest = min(fastest[0], ours_s), min(fastest[1], other_s)
        print(f"odeflow {ours_s:.3f} s, diffrax {other_s:.3f} s: {ratios[-1]:.0f} times")
    assert ours is not None and other is not None
    few = tuple(x[:CHECKED] for x in args)
    exact = by_odeflow(few, state, settings(1e-12, 1e-13)).ys
    head = lambda sol: jax.tree.map(lambda x: x[:CHECKED], sol.ys)
    same = all(
        np.array_equal(ours.stats[name], other.stats[name])
        for name in ("num_steps", "num_accepted_steps", "num_rejected_steps")
    )
    of_fastest = fastest[1] / fastest[0]
    print(f"median {statistics.median(ratios):.0f} times, fastest of all {of_fastest:.0f}")
    both = (lambda: by_odeflow(args, state, known), lambda: theirs(args))
    used = [processor_seconds(call) for call in both]
    print(f"processor: {used[0]:.2f} s, {used[1]:.2f} s; {used[1] / used[0]:.0f} times")
    print(f"engine {ours.engine}")
    print(f"largest difference {largest(ours.ys, other.ys):.1e}; steps equal: {same}")
    print(f"largest error: {largest(head(ours), exact):.1e}, {largest(head(other), exact):.1e}")
    return statistics.median(ratios)


def calls(number: int) -> dict[str, float]:
    """Prints, and gives, the median milliseconds of a call with new numbers."""
    known, found = settings(), {}
    plain = lambda args: by_odeflow(args, "array", known, throw=False).ys
    for lanes in (1, 64):
        for name, call in (("plain", plain), ("in jit", jax.jit(plain))):
            given = [
                tuple(jnp.asarray(x + 1e-3 * i) for x in parameters(lanes)) for i in range(number)
            ]
            jax.block_until_ready(call(given[0]))
            taken = [seconds(partial(call, args))[0] for args in given]
            key = f"{lanes} {name}"
            found[key] = 1e3 * statistics.median(taken)
            print(f"{lanes} trajectories, {name}: {found[key]:.2f} ms per call")
    return found


def main(options: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lanes", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--state", choices=STATES, default="array")
    parser.add_argument("--calls", type=int, default=0)
    given = parser.parse_args(options)
    jax.config.update("jax_enable_x64", True)
    if given.calls:
        calls(given.calls)
    else:
        pairs(given.lanes, given.pairs, given.state)


if __name__ == "__main__":
    main()
