"""The benchmark of `ensemble_solve` runs, and its two sides solve the same problem."""

import pytest

from benchmarks import ensemble_solve as benchmark


@pytest.mark.slow
def test_both_sides_agree(capsys: pytest.CaptureFixture[str]):
    assert benchmark.pairs(lanes=64, number=1) > 0
    printed = capsys.readouterr().out
    assert "steps equal: True" in printed
    assert "engine native" in printed


@pytest.mark.slow
def test_second_calls_are_timed():
    assert set(benchmark.calls(2)) == {"1 plain", "1 in jit", "64 plain", "64 in jit"}
