"""Snakemake is killed while a stage gives a file its name: nothing is left, nothing is partial."""

import os
import time
from pathlib import Path

import pytest

from tests.support.faults import fault, results, wait_for_end
from tests.support.snakes import snakemake
from tests.support.waiting_stages import HOLD, STAGES, processes_of, waiting, without

pytestmark = pytest.mark.slow

SAME = "no process is left, no file is partial; the same bytes"


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def study(stage: str, undisturbed: Path, tmp_path: Path) -> Path:
    return without(stage, undisturbed, tmp_path)


def nothing_is_left_or_partial(study: Path, undisturbed: Path) -> None:
    wait_for_end(processes_of(study))
    assert results(study).items() <= results(undisturbed).items()


def is_made_whole(study: Path, undisturbed: Path) -> None:
    (study / HOLD).unlink(missing_ok=True)
    snakemake(study, "--rerun-incomplete")
    assert results(study) == results(undisturbed)
    assert (study / "results/decay/logs/passed").exists()


@fault(
    "SIGKILL of Snakemake, at each of the stages",
    "`snakemake --unlock`, the same command with `--rerun-incomplete`",
    SAME,
)
def test_sigkill(stage: str, undisturbed: Path, study: Path):
    with waiting(study, stage) as (process, *_):
        assert len(processes_of(study)) >= 2
        process.kill()
        process.wait()
        nothing_is_left_or_partial(study, undisturbed)
    snakemake(study, "--unlock")
    is_made_whole(study, undisturbed)


@fault(
    "SIGTERM of Snakemake, at each of the stages, which lets its jobs end",
    "the same command with `--rerun-incomplete`",
    SAME,
)
def test_sigterm(stage: str, undisturbed: Path, study: Path):
    with waiting(study, stage) as (process, *_):
        process.terminate()
        time.sleep(1)
        (study / HOLD).unlink()
        assert process.wait(timeout=240) != 0
        nothing_is_left_or_partial(study, undisturbed)
    is_made_whole(study, undisturbed)


@fault(
    "Ctrl-C in a terminal, at each of the stages",
    "the same command with `--rerun-incomplete`",
    SAME,
)
def test_control_c(stage: str, undisturbed: Path, study: Path):
    with waiting(study, stage) as (process, terminal, _):
        os.write(terminal, b"\x03")
        assert process.wait(timeout=240) != 0
        nothing_is_left_or_partial(study, undisturbed)
        assert not list(study.glob("results/**/.*.tmp"))
    is_made_whole(study, undisturbed)
