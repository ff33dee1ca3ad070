"""Faults that really happen: killed, cut short, damaged, full. Afterwards the same bytes."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

from odeflow.ensemble.chunk_file import read_chunk
from odeflow.files.netcdf import DamagedFileError
from tests.support.faults import (
    chunk_files,
    fault,
    results,
    unwritable,
    wait_for_end,
    waiting_jobs,
    waiting_study,
)
from tests.support.snakes import copy_of, snakemake

pytestmark = pytest.mark.slow

SAME = "the same bytes"


@pytest.fixture
def finished(undisturbed: Path, tmp_path: Path) -> Path:
    """A copy of it, for something to happen to."""
    return copy_of(undisturbed, tmp_path)


def not_assembled(study: Path) -> list[Path]:
    """Takes the ensemble away, so that the chunks are read again; the chunks."""
    (study / "results/decay/ensemble.nc").unlink()
    return chunk_files(study)


def run_what_it_says(study: Path, output: str) -> None:
    """Runs the command that the message names."""
    command = re.search(r"\((rm results/\S+)\)", output)
    assert command, output
    subprocess.run(command.group(1).split(), cwd=study, check=True)


def fails_naming(study: Path, file: str, **how: int) -> str:
    """Runs Snakemake, which must fail with one line that names the file; its output."""
    done = snakemake(study, check=False, **how)
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if line.startswith(f"odeflow: {file}")]
    assert lines, done.stdout
    assert "Traceback" not in done.stdout
    return lines[0]


@fault("SIGKILL of a solving job", "the same command", SAME)
def test_a_solving_job_is_killed(undisturbed: Path, tmp_path: Path):
    study = waiting_study(tmp_path)
    with waiting_jobs(study, 2) as (process, jobs):
        os.kill(jobs[0], signal.SIGKILL)
        (study / "hold").unlink()
        process.communicate(timeout=120)
        assert process.returncode != 0
        assert len(chunk_files(study)) < 3
    snakemake(study)
    assert results(study) == results(undisturbed)


@fault("SIGKILL of the process that solving jobs are copies of", "the same command", SAME)
def test_the_worker_is_killed(undisturbed: Path, tmp_path: Path):
    study = waiting_study(tmp_path)
    with waiting_jobs(study, 2) as (process, jobs):
        (worker,) = {int(Path(f"/proc/{job}/stat").read_text().split()[3]) for job in jobs}
        assert worker != process.pid
        os.kill(worker, signal.SIGKILL)
        wait_for_end([worker, *jobs])
        (study / "hold").unlink()
        output, _ = process.communicate(timeout=120)
        assert process.returncode != 0 and "was killed; run again" in output
        assert len(chunk_files(study)) == 1
    snakemake(study)
    assert results(study) == results(undisturbed)


@fault(
    "SIGKILL of Snakemake while it solves",
    "`snakemake --unlock`, the same command with `--rerun-incomplete`",
    SAME,
)
def test_snakemake_is_killed(undisturbed: Path, tmp_path: Path):
    study = waiting_study(tmp_path)
    with waiting_jobs(study, 2) as (process, jobs):
        process.kill()
        process.wait()
        refused = snakemake(study, check=False)
        assert refused.returncode != 0 and "--unlock" in refused.stdout
        (study / "hold").unlink()  # on other systems than Linux the jobs go on
        snakemake(study, "--unlock")
        snakemake(study, "--rerun-incomplete")
        wait_for_end(jobs)
    assert results(study) == results(undisturbed)
    # What the killed jobs were writing has no final name; `snakemake prune` takes it away.
    partial = [file.name for file in study.glob("results/**/.*.tmp")]
    assert all(name.startswith(".0") for name in partial), partial


def test_nothing_half_written_is_seen_at_any_moment(tmp_path: Path):
    """SIGKILL at 60 moments of writing: under its name a file is whole, or what it was before."""
    code = """
import os, random, signal, sys, time
from pathlib import Path
import numpy as np, xarray as xr
from odeflow.files.netcdf import read_dataset, write_dataset

path, random = Path(sys.argv[1]), random.Random(1)
values = np.random.default_rng(0).random((200, 100))
chunks = [xr.Dataset({"y": (("sample", "time"), values + i)}) for i in range(2)]
seen, start = set(), time.monotonic()
for chunk in reversed(chunks):
    write_dataset(chunk, path)
both = time.monotonic() - start
path.unlink()
for _ in range(60):
    child = os.fork()
    if child == 0:
        while True:
            for chunk in chunks:
                write_dataset(chunk, path)
    time.sleep(random.uniform(0, 2 * both))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if path.exists():
        seen |= {i for i in range(2) if read_dataset(path).identical(chunks[i])} or {"neither"}
assert seen == {0, 1}, seen
"""
    command = [sys.executable, "-c", code, str(tmp_path / "chunk.nc")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@fault("A chunk damaged after it was assembled", "nothing: results do not depend on it", SAME)
def test_a_chunk_that_is_assembled_is_not_needed(undisturbed: Path, finished: Path):
    chunk_files(finished)[0].write_bytes(b"")
    assert "Nothing to be done" in snakemake(finished).stdout
    assert results(finished) == results(undisturbed)


@fault("A truncated chunk", "the `rm` it names, the same command", SAME)
def test_a_chunk_is_truncated(undisturbed: Path, finished: Path):
    chunk = not_assembled(finished)[0]
    chunk.write_bytes(chunk.read_bytes()[:-200])
    run_what_it_says(finished, fails_naming(finished, str(chunk.relative_to(finished))))
    snakemake(finished)
    assert results(finished) == results(undisturbed)


@fault("Four bytes of a chunk flipped", "the `rm` it names, the same command", SAME)
def test_bytes_of_a_chunk_are_flipped(undisturbed: Path, finished: Path):
    chunk = not_assembled(finished)[1]
    whole = chunk.read_bytes()
    for place in range(len(whole) // 2, len(whole), 64):  # the first that is not padding
        flipped = bytes(255 - byte for byte in whole[place : place + 4])
        chunk.write_bytes(whole[:place] + flipped + whole[place + 4 :])
        with contextlib.suppress(DamagedFileError):
            list(read_chunk(chunk))
            continue
        break
    run_what_it_says(finished, fails_naming(finished, str(chunk.relative_to(finished))))
    snakemake(finished)
    assert results(finished) == results(undisturbed)


@fault("A chunk solved by other settings or versions", "the `rm` it names, the same command", SAME)
def test_a_chunk_is_of_another_version(undisturbed: Path, finished: Path):
    ours = not_assembled(finished)[0]
    snakemake(finished, "--until", "solve", config="experiment=decay solver__rtol=1e-3")
    (other,) = {f for f in chunk_files(finished) if f.name == ours.name} - {ours}
    shutil.copyfile(other, ours)
    run_what_it_says(finished, fails_naming(finished, str(ours.relative_to(finished))))
    snakemake(finished)
    assert results(finished) == results(undisturbed)


@fault("A chunk in another's place", "the `rm` it names, the same command", SAME)
def test_a_chunk_is_in_the_place_of_another(undisturbed: Path, finished: Path):
    first, second, _ = not_assembled(finished)
    shutil.copyfile(second, first)
    run_what_it_says(finished, fails_naming(finished, str(first.relative_to(finished))))
    snakemake(finished)
    assert results(finished) == results(undisturbed)


@fault("A truncated `ensemble.nc`", "the `rm` it names, the same command", SAME)
def test_the_ensemble_is_truncated(undisturbed: Path, finished: Path):
    ensemble = finished / "results/decay/ensemble.nc"
    ensemble.write_bytes(ensemble.read_bytes()[:-200])
    run_what_it_says(finished, fails_naming(finished, "results/decay/ensemble.nc"))
    snakemake(finished)
    assert results(finished) == results(undisturbed)


def edited(study: Path, name: str) -> None:
    """Multiplies the values of a result by 1.001, as a script of someone's would."""
    file = study / "results/decay" / name
    (xr.load_dataset(file, decode_times=False) * 1.001).to_netcdf(file)


@fault("`ensemble.nc` edited by hand", "the `rm` it names, the same command", SAME)
def test_the_ensemble_is_edited(undisturbed: Path, finished: Path):
    edited(finished, "ensemble.nc")
    said = fails_naming(finished, "results/decay/ensemble.nc")
    assert "is not what was written" in said
    assert fails_naming(finished, "results/decay/ensemble.nc") == said  # it is not forgotten
    run_what_it_says(finished, said)
    snakemake(finished)
    assert results(finished) == results(undisturbed)


@fault("`design.nc` edited by hand", "the `rm` it names, the same command", SAME)
def test_the_design_is_edited(undisturbed: Path, finished: Path):
    edited(finished, "design.nc")
    said = fails_naming(finished, "results/decay/design.nc")
    others = results(finished).keys() - {"design.nc"}
    assert all(results(finished)[name] == results(undisturbed)[name] for name in others)
    run_what_it_says(finished, said)
    snakemake(finished)
    assert results(finished) == results(undisturbed)


@fault("The disk is full while solving", "space, the same command", SAME)
def test_the_disk_is_full(tmp_path: Path):
    """A limit on the size of files is what a process sees of a full disk."""
    study = waiting_study(tmp_path)
    many = {"config": "experiment=decay design__size=2000 saveat__ts__linspace=[0,2,200] "
            "runtime__chunk_size=auto plot__figures=[solver_effort]"}  # fmt: skip
    limit = 2**20
    done = snakemake(study, check=False, largest_file=limit, **many)
    assert done.returncode != 0
    assert re.search(r"odeflow: results/chunks/\S+\.nc: cannot be written .*run again", done.stdout)
    assert not chunk_files(study) and not list(study.glob("results/**/.*.tmp"))
    snakemake(study, **many)
    assert chunk_files(study)[0].stat().st_size > limit


@fault("A results folder that cannot be written to", "permission, the same command", SAME)
def test_the_results_folder_is_not_writable(undisturbed: Path, tmp_path: Path):
    study = waiting_study(tmp_path)
    folder = study / "results"
    folder.mkdir()
    with unwritable(folder):
        done = snakemake(study, check=False)
        assert done.returncode != 0
        assert "config: results: the folder is not writable" in done.stdout
        assert not list(folder.iterdir())
    snakemake(study)
    assert results(study) == results(undisturbed)
