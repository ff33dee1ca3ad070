"""Estimators of sensitivity indices, against SALib's and closed forms."""

import tracemalloc
import warnings
from typing import Any

import numpy as np
import pytest
from SALib.analyze import delta as salib_delta
from SALib.analyze import fast as salib_fast
from SALib.analyze import morris as salib_morris
from SALib.analyze import pawn as salib_pawn
from SALib.analyze import rbd_fast as salib_rbd
from SALib.analyze import sobol as salib_sobol
from SALib.sample import fast_sampler

from odeflow.analysis.sensitivity.block_sums import BlockSums
from odeflow.analysis.sensitivity.delta import Delta, classes, delta
from odeflow.analysis.sensitivity.dgsm import Dgsm
from odeflow.analysis.sensitivity.fast import fast, of_half_curves
from odeflow.analysis.sensitivity.given_data import given_data
from odeflow.analysis.sensitivity.morris import Morris
from odeflow.analysis.sensitivity.pawn import Pawn, pawn
from odeflow.analysis.sensitivity.rbd_fast import RbdFast, rbd_fast
from odeflow.analysis.sensitivity.resampling import intervals, weights
from odeflow.analysis.sensitivity.sobol import Sobol
from odeflow.design.fast import fast_points
from odeflow.design.morris import morris_points, radial_points
from odeflow.design.saltelli import saltelli_points
from odeflow.design.sobol_points import sobol_points
from odeflow.design.streams import open_unit, stream
from tests.support.sensitivity_cases import ishigami, ishigami_indices, sobol_g, sobol_g_indices


def problem(number: int, **more: Any) -> dict[str, Any]:
    return {
        "num_vars": number,
        "names": list("abcdef"[:number]),
        "bounds": [[0, 1]] * number,
    } | more


def alone(number: int) -> list[list[int]]:
    return [[axis] for axis in range(number)]


def added(estimator: Any, x: np.ndarray, y: np.ndarray, rows: int, resamples: int = 0, **more: Any):
    """Sums over blocks of `rows` rows, of outputs (row, output), in slabs of uneven sizes."""
    blocks = len(y) // rows
    sums = BlockSums(estimator, more.get("prefixes", ()), resamples, more.get("seed", 0))
    y, x = y.reshape(blocks, rows, -1), x.reshape(blocks, rows, -1)
    for start in range(0, blocks, 37):
        sums.add(y[start : start + 37], x[start : start + 37])
    return sums


def saltelli(function: Any, axes: int, size: int, seed: int, second_order: bool = True):
    rows = (2 if second_order else 1) * axes + 2
    x = saltelli_points(seed, alone(axes), second_order, 0, size * rows)
    return x, function(x)[:, None], rows


@pytest.mark.parametrize("second_order", [True, False])
def test_sobol_indices_are_salibs(second_order: bool) -> None:
    x, y, rows = saltelli(ishigami, 3, 128, 5, second_order)
    y = np.concatenate([y, 1e3 + 20 * y**2, x[:, :1]], axis=1)
    found = added(Sobol(3, second_order), x, y, rows).result(0.95)
    for output, values in enumerate(y.T):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = salib_sobol.analyze(problem(3), values, second_order, num_resamples=2)
        names = {"first_order": "S1", "total_order": "ST"}
        for ours, theirs in names.items():
            np.testing.assert_allclose(found[ours].value[:, output], wanted[theirs], atol=1e-13)
        if second_order:
            upper = np.triu_indices(3, 1)
            ours = found["second_order"].value[..., output]
            np.testing.assert_allclose(ours[upper], wanted["S2"][upper], atol=1e-12)
            np.testing.assert_allclose(ours, ours.T)


@pytest.mark.slow
@pytest.mark.parametrize("function", [ishigami, sobol_g])
def test_intervals_hold_the_closed_form_in_95_of_100_seeds(function: Any) -> None:
    is_ishigami = function is ishigami
    wanted = ishigami_indices() if is_ishigami else sobol_g_indices()
    names = ["first_order", "total_order", "second_order"][: len(wanted)]
    axes = len(wanted[0])
    held = {name: np.zeros(truth.shape) for name, truth in zip(names, wanted)}
    for seed in range(100):
        x, y, rows = saltelli(function, axes, 4096, seed, is_ishigami)
        found = added(Sobol(axes, is_ishigami), x, y, rows, 100, seed=seed).result(0.95)
        for name, truth in zip(names, wanted):
            low, high = found[name].bounds[..., 0]
            held[name] += (low <= truth) & (truth <= high)
    for name, truth in zip(names, wanted):
        assert held[name][np.isfinite(truth)].min() >= 95, (name, held[name])


def test_intervals_are_those_of_salibs_bootstrap() -> None:
    x, y, rows = saltelli(sobol_g, 6, 512, 2)
    found = added(Sobol(6, True), x, y, rows, 400).result(0.95)
    wanted = salib_sobol.analyze(problem(6), y[:, 0], True, num_resamples=400, seed=3)
    for ours, theirs in (("first_order", "S1_conf"), ("total_order", "ST_conf")):
        half = np.diff(found[ours].bounds[..., 0], axis=0)[0] / 2
        np.testing.assert_allclose(half[:4], wanted[theirs][:4], rtol=0.25)


def test_prefixes_are_smaller_designs() -> None:
    x, y, rows = saltelli(sobol_g, 6, 256, 1)
    whole = added(Sobol(6, True), x, y, rows, 20, prefixes=(64, 100, 256)).result(0.9)
    for place, size in enumerate((64, 100, 256)):
        some = added(Sobol(6, True), x[: size * rows], y[: size * rows], rows, 20).result(0.9)
        for name in ("first_order", "total_order"):
            at, bounds = whole[name].values_at, whole[name].bounds_at
            assert at is not None and bounds is not None
            np.testing.assert_allclose(at[place], some[name].value, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(bounds[place], some[name].bounds, rtol=1e-7, atol=1e-9)
    assert whole["second_order"].values_at is None


def test_a_block_without_a_value_is_left_out_of_that_output() -> None:
    x, y, rows = saltelli(ishigami, 3, 200, 0)
    y = np.repeat(y, 2, axis=1)
    y[[5 * rows + 2, 5 * rows + 3, 77 * rows], 1] = np.nan
    sums = added(Sobol(3, True), x, y, rows, 10)
    assert sums.left_out.tolist() == [0, 2]
    kept = np.setdiff1d(np.arange(200), [5, 77])
    blocks = y[:, :1].reshape(200, rows, 1)
    some = added(Sobol(3, True), x[: 198 * rows], blocks[kept].reshape(-1, 1), rows)
    both, alone_ = sums.result(0.9)["total_order"].value, some.result(0.9)["total_order"].value
    np.testing.assert_allclose(both[:, 1], alone_[:, 0], rtol=1e-12)
    assert (both[:, 0] != both[:, 1]).all()


def test_a_constant_output_has_no_indices() -> None:
    x, y, rows = saltelli(ishigami, 3, 64, 0)
    found = added(Sobol(3, True), x, np.full_like(y, 0.1), rows, 10).result(0.9)
    assert all(np.isnan(index.value).all() for index in found.values())


def test_groups_explain_what_their_parameters_do_together() -> None:
    groups = [[0, 2], [1]]
    x = saltelli_points(0, groups, True, 0, 2048 * 6)
    found = added(Sobol(2, True), x, ishigami(x)[:, None], 6).result(0.95)
    first = ishigami_indices()[0]
    np.testing.assert_allclose(
        found["first_order"].value[:, 0], [1 - first[1], first[1]], atol=0.02
    )


@pytest.mark.parametrize("levels", [4, 8])
def test_morris_is_salibs_to_rounding(levels: int) -> None:
    x = morris_points(3, alone(6), levels, 0, 50 * 7)
    y = np.stack([sobol_g(x), 5 + x @ np.arange(6)], axis=1)
    found = added(Morris(alone(6), False), x, y, 7).result(0.95)
    for output, values in enumerate(y.T):
        wanted = salib_morris.analyze(problem(6), x, values, num_levels=levels, num_resamples=2)
        for name in ("mu", "mu_star", "sigma"):
            theirs = np.asarray(wanted[name], float)
            np.testing.assert_allclose(found[name].value[:, output], theirs, 1e-12, 1e-12)


def test_morris_of_groups_is_salibs() -> None:
    groups = [[0, 3], [1], [2, 4, 5]]
    x = morris_points(1, groups, 4, 0, 40 * 4)
    y = sobol_g(x)
    found = added(Morris(groups, False), x, y[:, None], 4).result(0.95)
    named = problem(6, groups=["p", "q", "r", "p", "r", "r"])
    wanted = salib_morris.analyze(named, x, y, num_resamples=2)
    np.testing.assert_allclose(found["mu_star"].value[:, 0], wanted["mu_star"], rtol=1e-12)
    assert np.isnan(found["mu"].value[[0, 2]]).all() and np.isfinite(found["mu"].value[1])


def test_radial_effects_of_a_linear_function_are_its_slopes() -> None:
    x = radial_points(0, 4, 0, 5 * 64)
    slopes = np.array([1.0, -2.0, 0.0, 5.0])
    found = added(Morris(alone(4), True), x, (x @ slopes)[:, None], 5, 50).result(0.95)
    np.testing.assert_allclose(found["mu"].value[:, 0], slopes, atol=1e-9)
    np.testing.assert_allclose(found["mu_star"].value[:, 0], abs(slopes), atol=1e-9)
    np.testing.assert_allclose(found["sigma"].value, 0, atol=1e-8)


def test_rbd_fast_is_salibs() -> None:
    x = sobol_points(0, 3, 0, 512)
    y = np.stack([ishigami(x), x[:, 1] ** 3], axis=1)
    found = rbd_fast(x, y)["first_order"]
    for output, values in enumerate(y.T):
        wanted = salib_rbd.analyze(problem(3), x, values, num_resamples=2, seed=0)["S1"]
        np.testing.assert_allclose(found[:, output], np.array(wanted, float), atol=1e-12)


def test_fast_is_salibs_points_and_indices() -> None:
    number = 257
    theirs = fast_sampler.sample(problem(3), number, seed=np.random.default_rng(0))
    ours = fast_points(0, 3, number, 0, 3 * number)
    # the same curves but for the phase, which the closed form of a sine gives back
    for curve in range(3):
        rows = slice(curve * number, (curve + 1) * number)
        spectra = [
            np.abs(np.fft.rfft(np.sin(np.pi * (u[rows] - 0.5)), axis=0)) for u in (ours, theirs)
        ]
        np.testing.assert_array_equal(*(spectrum.argmax(axis=0) for spectrum in spectra))
    y = np.stack([ishigami(ours), ours[:, 0] + ours[:, 2] ** 2], axis=1)
    found = fast(y.reshape(3, number, 2))
    for output, values in enumerate(y.T):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = salib_fast.analyze(problem(3), values, num_resamples=2, seed=1)
        for name, key in (("first_order", "S1"), ("total_order", "ST")):
            np.testing.assert_allclose(found[name][:, output], np.array(wanted[key]), atol=1e-10)


def test_pawn_is_salibs() -> None:
    x = sobol_points(1, 3, 0, 600)
    y = np.stack([ishigami(x), np.round(3 * x[:, 1])], axis=1)  # with ties
    found = pawn(x, y)
    for output, values in enumerate(y.T):
        wanted = salib_pawn.analyze(problem(3), x, values, S=10)
        np.testing.assert_allclose(found["pawn"][:, output], wanted["median"], atol=1e-12)
        np.testing.assert_allclose(found["pawn_max"][:, output], wanted["maximum"], atol=1e-12)


def test_delta_is_salibs() -> None:
    x, number = sobol_points(2, 3, 0, 512), 512
    y = np.stack([ishigami(x), np.full(number, 2.0)], axis=1)
    found = delta(x, y)["delta"]
    ends, grid = (
        np.linspace(0, number, classes(number) + 1),
        np.linspace(y.min(), y[:, 0].max(), 100),
    )
    for place in range(3):
        wanted = salib_delta.calc_delta(y[:, 0], grid, x[:, place], ends)
        assert found[place, 0] == pytest.approx(wanted, rel=1e-10)
    assert np.isnan(found[:, 1]).all()


@pytest.mark.parametrize(
    ("ordered", "plain", "rtol"),
    [(Pawn, pawn, 0), (Delta, delta, 1e-12), (RbdFast, rbd_fast, 1e-9)],
)
def test_counts_stand_for_rows_that_are_repeated(ordered: Any, plain: Any, rtol: float) -> None:
    x = sobol_points(4, 3, 0, 300)
    y = np.stack([ishigami(x), np.round(3 * x[:, 1]), np.ones(300)], axis=1)
    sorted_once = ordered(x, y)
    for counts in weights(1, 3, 0, 300).astype(np.uint8):
        rows = np.repeat(np.arange(300), counts)
        found, wanted = sorted_once.indices(counts), plain(x[rows], y[rows])
        for name, values in wanted.items():
            np.testing.assert_allclose(found[name], values, rtol=rtol, atol=rtol)


@pytest.mark.parametrize(("ordered", "outputs"), [(Pawn, 8), (Delta, 1), (RbdFast, 8)])
def test_resamples_take_no_memory_of_their_own(ordered: Any, outputs: int) -> None:
    number = 50_000
    x = np.random.default_rng(0).random((number, 2))
    y = x[:, :1] ** np.arange(1, 1 + outputs) + x[:, 1:]
    tracemalloc.start()
    given_data(ordered, x, y, [], 3, 0, 0.95)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # orders and counts beside each sample, and what is worked on at once; copies took twice that
    assert peak < 120 * number + 10 * 2**20


@pytest.mark.slow
@pytest.mark.parametrize("function", [ishigami, sobol_g])
def test_intervals_of_rbd_fast_hold_the_closed_form(function: Any) -> None:
    truth = (ishigami_indices() if function is ishigami else sobol_g_indices())[0]
    held = np.zeros(len(truth))
    for seed in range(100):
        x = np.random.default_rng(seed).random((1000, len(truth)))
        found = given_data(RbdFast, x, function(x)[:, None], [], 100, seed, 0.95)["first_order"]
        held += (found.bounds[0, :, 0] <= truth) & (truth <= found.bounds[1, :, 0])
    assert held.min() >= 88, held  # of 100 true ones, 89 or more in 99 of 100 cases


def test_intervals_of_fast_are_salibs() -> None:
    number, resamples = 257, 40
    x = fast_points(0, 3, number, 0, 3 * number)
    y = ishigami(x)
    halves = of_half_curves(y.reshape(3, number, 1), resamples, 5)
    starts = open_unit(stream("halves 5", 0, 3 * resamples)).reshape(resamples, 3)
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patched:
        warnings.simplefilter("ignore")
        given = iter(np.floor(starts.T.ravel() * number).astype(int))
        patched.setattr(np.random, "randint", lambda low, high: next(given))
        wanted = salib_fast.analyze(problem(3), y, num_resamples=resamples, seed=1)
    full = fast(y.reshape(3, number, 1))
    for name, key in (("first_order", "S1_conf"), ("total_order", "ST_conf")):
        low, high = intervals(np.concatenate([full[name][None], halves[name]]), 0.95)
        np.testing.assert_allclose((high - low)[:, 0] / 2, np.array(wanted[key]), rtol=1e-9)
        np.testing.assert_allclose((high + low) / 2, full[name], rtol=1e-12)
    nothing = of_half_curves(y.reshape(3, number, 1), 0, 5)["first_order"]
    assert nothing.shape == (0, 3, 1)


def test_given_data_leaves_samples_out_and_has_intervals() -> None:
    x = sobol_points(3, 3, 0, 512)
    y = np.repeat(ishigami(x)[:, None], 3, axis=1)
    y[::7, 1] = np.nan
    y[:, 2] = np.nan
    found = given_data(RbdFast, x, y, [128, 512], 50, 0, 0.95)["first_order"]
    kept = np.isfinite(y[:, 1])
    np.testing.assert_allclose(
        found.value[:, 1], rbd_fast(x[kept], y[kept, :1])["first_order"][:, 0], rtol=1e-12
    )
    assert np.isnan(found.value[:, 2]).all()
    assert found.values_at is not None and found.values_at.shape == (2, 3, 3)
    np.testing.assert_allclose(found.values_at[1, :, :2], found.value[:, :2])
    truth = ishigami_indices()[0]
    assert (found.bounds[0, :, 0] < truth + 0.05).all()
    assert (truth - 0.05 < found.bounds[1, :, 0]).all()


def test_dgsm_bounds_the_total_order() -> None:
    u = sobol_points(0, 3, 0, 4096)
    x = np.pi * (2 * u - 1)
    slopes = np.stack(
        [
            np.cos(x[:, 0]) * (1 + 0.1 * x[:, 2] ** 4),
            7 * np.sin(2 * x[:, 1]),
            0.4 * x[:, 2] ** 3 * np.sin(x[:, 0]),
        ],
        axis=1,
    )
    y = np.concatenate([ishigami(u)[:, None], slopes], axis=1)
    ones = np.ones((len(u), 1, 3))
    sums = BlockSums(Dgsm(np.full(3, (2 * np.pi / np.pi) ** 2)), (), 50, 0)
    sums.add(y[..., None], ones)
    found = sums.result(0.95)
    # Sobol' and Kucherenko (2009): 7.7, 24.5 and 11.0
    wanted = [0.5 + 0.01 * np.pi**4 * 2 + 0.5 * 0.01 * np.pi**8 / 9, 24.5, 0.16 * np.pi**6 / 14]
    np.testing.assert_allclose(found["dgsm"].value[:, 0], wanted, rtol=0.01)
    assert (found["total_order_at_most"].value[:, 0] >= ishigami_indices()[1]).all()


def test_resamples_do_not_depend_on_how_blocks_are_cut() -> None:
    whole = weights(7, 30, 0, 4000)
    np.testing.assert_array_equal(whole[:, 1234:2345], weights(7, 30, 1234, 2345))
    assert (whole[0] == 1).all()
    assert whole[1:].mean() == pytest.approx(1, abs=0.02)
    assert whole[1:].var() == pytest.approx(1, abs=0.03)
