"""Nothing free, nowhere to write, no home: one line that says what to do, then the same bytes."""

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults import fault, results, unwritable
from tests.support.snakes import snakemake
from tests.support.waiting_stages import HOLD, STAGES, waiting, without

pytestmark = pytest.mark.slow

SAME = "the same bytes"


@contextlib.contextmanager
def small_disk(place: Path, megabytes: int = 8) -> Iterator[None]:
    """A file system of its own under a folder, with what the folder holds."""
    if os.geteuid() != 0:
        pytest.skip("only an administrator may mount a small disk")
    kept = place.with_name(f"{place.name}-kept")
    place.rename(kept)
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("no disk can be mounted here")
    try:
        shutil.copytree(kept, place, dirs_exist_ok=True, copy_function=shutil.copy2)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(folder: Path) -> Path:
    """Writes until nothing is free; the file to remove."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(2**12))
    assert os.statvfs(folder).f_bavail == 0
    return filler


@fault(
    "The disk becomes full while a file is written, at each of the stages",
    "space, the same command",
    SAME,
)
@pytest.mark.parametrize("stage", STAGES)
def test_the_disk_becomes_full(stage: str, undisturbed: Path, tmp_path: Path):
    study = without(stage, undisturbed, tmp_path)
    with small_disk(study / "results"):
        with waiting(study, stage, "tempfile.mkstemp") as (process, _, said):
            filler = fill(study / "results")
            (study / HOLD).unlink()
            assert process.wait(timeout=240) != 0
        text = b"".join(said).decode()
        (line,) = {line for line in text.splitlines() if line.startswith("odeflow: ")}
        assert re.match(
            r"odeflow: results/\S+: cannot be written \(No space left on device\); check space",
            line,
        )
        assert "Traceback" not in text
        filler.unlink()
        assert results(study).items() <= results(undisturbed).items()
        assert not list(study.glob("results/**/.*.tmp"))
        snakemake(study, "--rerun-incomplete")
        assert results(study) == results(undisturbed)


@fault("The disk is full when a run begins", "space, the same command", SAME)
@pytest.mark.parametrize("folder", [".", "results"])
def test_the_disk_is_full(folder: str, undisturbed: Path, tmp_path: Path):
    study = without("overview", undisturbed, tmp_path)
    with small_disk(study / folder, 24):
        filler = fill(study / folder)
        done = snakemake(study, check=False)
        assert done.returncode != 0 and "Traceback" not in done.stdout, done.stdout
        assert "the disk is full; free some space" in done.stdout
        filler.unlink()
        snakemake(study)
        assert results(study) == results(undisturbed)


@fault(
    "The folder for temporary files (TMPDIR) is full",
    "space, or another TMPDIR; the same command",
    SAME,
)
def test_the_folder_for_temporary_files_is_full(undisturbed: Path, tmp_path: Path):
    study = without("solve", undisturbed, tmp_path)
    place, other = tmp_path / "tmp", tmp_path / "other"
    place.mkdir()
    other.mkdir()
    with small_disk(place, 1):
        fill(place)
        done = snakemake(study, check=False, environment={"TMPDIR": str(place)})
        assert done.returncode != 0 and "Traceback" not in done.stdout
        assert f"{place}: the disk is full; free some space" in done.stdout
        snakemake(study, environment={"TMPDIR": str(other)})
    assert results(study) == results(undisturbed)


@fault("No HOME", "nothing: none is needed", SAME)
def test_no_home(undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    study = without("solve", undisturbed, tmp_path)
    shutil.rmtree(study / "results/cache", ignore_errors=True)
    for name in ("HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR"):
        monkeypatch.delenv(name, raising=False)
    snakemake(study)
    assert results(study) == results(undisturbed)


@fault(
    "A home that cannot be written, of which Snakemake names `.cache/snakemake`",
    "`export XDG_CACHE_HOME=...`, a folder that can be; the same command",
    SAME,
)
def test_a_home_that_cannot_be_written(undisturbed: Path, tmp_path: Path):
    study, home, cache = without("solve", undisturbed, tmp_path), tmp_path / "h", tmp_path / "c"
    shutil.rmtree(study / "results/cache", ignore_errors=True)
    home.mkdir()
    cache.mkdir()
    with unwritable(home):
        known = {"HOME": str(home), "XDG_CACHE_HOME": ""}
        done = snakemake(study, check=False, environment=known)
        assert done.returncode != 0 and f"'{home}" in done.stdout
        snakemake(study, environment=known | {"XDG_CACHE_HOME": str(cache)})
    assert results(study) == results(undisturbed)
