"""Designs of sensitivity analyses: blocks of rows that belong together."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from SALib.sample import sobol as salib_sobol

from odeflow.config.design import DesignConfig
from odeflow.design import number_of_samples, rows
from odeflow.design.saltelli import saltelli_points

HERE = Path()
AXES = {
    "a": {"uniform": [0, 1]},
    "b": {"loguniform": [1, 100]},
    "c": {"truncnormal": [0, 1, -1, 1]},
    "d": {"uniform": [-1, 0]},
}
KINDS = {
    "saltelli": {"kind": "saltelli"},
    "second order": {"kind": "saltelli", "second_order": True},
    "groups": {"kind": "saltelli", "groups": {"first": ["a", "c"]}},
    "morris": {"kind": "morris", "levels": 6},
    "morris of groups": {"kind": "morris", "groups": {"first": ["a", "c"]}},
    "radial": {"kind": "morris", "radial": True},
    "fast": {"kind": "fast"},
}
lean = settings(max_examples=15, deadline=None)


def design(case: str, size: int, **more) -> DesignConfig:
    keys = {"size": size, "seed": 3, "axes": AXES} | KINDS[case] | more
    return DesignConfig.model_validate(keys)


def table(plan: DesignConfig, start: int = 0, stop: int | None = None) -> np.ndarray:
    total = number_of_samples(plan, HERE) if stop is None else stop
    return np.stack(list(rows(plan, start, total, HERE).values()), axis=1)


@pytest.mark.parametrize("case", KINDS)
@lean
@given(cuts=st.lists(st.integers(0, 280), max_size=5))
def test_any_range_is_of_the_whole(case: str, cuts: list[int]) -> None:
    plan = design(case, 70)
    whole = table(plan)
    ends = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    parts = [table(plan, start, stop) for start, stop in zip(ends, ends[1:])]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("case", [case for case in KINDS if case != "fast"])
def test_more_blocks_keep_the_first(case: str) -> None:
    few, many = table(design(case, 9)), table(design(case, 31))
    np.testing.assert_array_equal(few, many[: len(few)])


@pytest.mark.parametrize(
    ("case", "rows_of_one"),
    [("saltelli", 6), ("second order", 10), ("groups", 5), ("morris", 5), ("fast", 4)],
)
def test_rows_for_each_of_size(case: str, rows_of_one: int) -> None:
    plan = design(case, 70)
    assert (plan.block_rows, number_of_samples(plan, HERE)) == (rows_of_one, 70 * rows_of_one)


def test_saltelli_has_salibs_rows() -> None:
    names = ["a", "b", "c"]
    problem = {"num_vars": 3, "names": names, "bounds": [[0, 1]] * 3}
    theirs = salib_sobol.sample(problem, 4, calc_second_order=True, seed=1)
    ours = saltelli_points(0, [[0], [1], [2]], True, 0, 4 * 8)
    # which coordinates of a row are those of the block's first row, and of its last one
    for end in (0, -1):
        same = [
            [(block == block[end]) for block in points.reshape(4, 8, 3)]
            for points in (ours, theirs)
        ]
        np.testing.assert_array_equal(*same)


def test_a_trajectory_moves_each_axis_once_by_the_same_step() -> None:
    plan = design("morris", 200, axes={name: {"uniform": [0, 1]} for name in "abcd"})
    steps = np.diff(table(plan).reshape(200, 5, 4), axis=1)
    moved = np.abs(steps) > 1e-12
    assert (moved.sum(axis=1) == 1).all() and (moved.sum(axis=2) == 1).all()
    np.testing.assert_allclose(np.abs(steps[moved]), 6 / (2 * 5))
    assert 0.4 < (steps[moved] > 0).mean() < 0.6
    levels = np.unique(np.round(table(plan) * 5, 9))
    np.testing.assert_allclose(levels, np.arange(6))
    orders = moved.argmax(axis=2)
    assert len(np.unique(orders, axis=0)) == 24  # every order of four


def test_groups_move_as_one() -> None:
    steps = np.diff(table(design("morris of groups", 50)).reshape(50, 4, 4), axis=1) != 0
    np.testing.assert_array_equal(steps[..., 0], steps[..., 2])
    assert (steps[..., 0].sum(axis=1) == 1).all()


def test_radial_steps_leave_from_one_point() -> None:
    points = table(design("radial", 50)).reshape(50, 5, 4)
    moved = points[:, 1:] != points[:, :1]
    np.testing.assert_array_equal(moved, np.broadcast_to(np.eye(4, dtype=bool), moved.shape))
