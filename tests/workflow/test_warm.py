"""Jobs that are copies of a warm worker: as a new process would do them, or by a new process."""

import inspect
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from snakemake import iocontainers
from snakemake.script import script
from snakemake.sourcecache import LocalSourceFile

from odeflow.workflow.script import without_equinox_checks
from odeflow.workflow.warm.foresight import Foresight
from odeflow.workflow.warm.imports import in_order, modules_of
from odeflow.workflow.warm.jobs import WarmJobs
from odeflow.workflow.warm.surroundings import FOLDERS, THREADS
from tests.support.faults import results, wait_for_end
from tests.support.snakes import PROJECT, make_study, snakemake

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no worker elsewhere")

#: A script that runs what it is told; it has the name of one that is worth a worker.
NAME = "verdict.py"
SCRIPT = """
import os
said = os.open(f"{snakemake.resources.tmpdir}/said", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
os.dup2(said, 1), os.dup2(said, 2)
exec(snakemake.params.text)
"""


@contextmanager
def _unnamed() -> Iterator[None]:
    """Without the variable in which pytest has the name of the test: it differs for each."""
    name = os.environ.pop("PYTEST_CURRENT_TEST")
    try:
        yield
    finally:
        os.environ["PYTEST_CURRENT_TEST"] = name


class Warm:
    """Hands `NAME` to a worker; what the worker does not take is in `cold`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / NAME).write_text(SCRIPT)
        self.cold: list[str] = []
        plain: Any = lambda path, *_, **__: self.cold.append(path)
        plain.__signature__ = inspect.signature(script)
        with _unnamed():
            self.jobs = WarmJobs(plain, folder)
            self.jobs.start([Path(NAME).stem])

    def run(self, text: str, **told: Any) -> bool:
        """Whether the worker ran it."""
        given = dict.fromkeys(inspect.signature(script).parameters)
        given |= {
            "path": NAME, "basedir": LocalSourceFile(str(self.folder)), "threads": 1,
            "input": iocontainers.InputFiles(["a.nc"]), "output": iocontainers.OutputFiles(),
            "params": iocontainers.Params(fromdict={"text": text, "spec": {"k": [1, 2.5]}}),
            "wildcards": iocontainers.Wildcards(), "log": iocontainers.Log(), "config": {},
            "resources": iocontainers.ResourceList(fromdict={"tmpdir": str(self.folder)}),
            "rulename": "verdict", "cleanup_scripts": True,
        }  # fmt: skip
        self.cold.clear()
        with _unnamed():
            self.jobs(**given | told)
        return not self.cold


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    made = Warm(tmp_path_factory.mktemp("scripts"))
    yield made
    made.jobs.end()


def test_a_job_has_what_a_new_process_has(warm: Warm, tmp_path: Path, monkeypatch: Any):
    monkeypatch.chdir(tmp_path)
    tell = """
import json, os, sys, tempfile
from pathlib import Path
Path("told.json").write_text(json.dumps({
    "main": __name__, "file": __file__, "argv": sys.argv, "input": list(snakemake.input),
    "spec": snakemake.params.spec, "threads": os.environ["OPENBLAS_NUM_THREADS"],
    "folder": tempfile.gettempdir(), "variables": sorted(os.environ),
    "module": sys.modules["__main__"].__file__, "handler": signal.getsignal(2).__name__,
}))
"""
    assert warm.run("import signal" + tell, threads=3)
    file, more = str(warm.folder / NAME), {*FOLDERS, *THREADS}
    assert json.loads((tmp_path / "told.json").read_text()) == {
        "main": "__main__", "file": file, "argv": [file], "module": file, "input": ["a.nc"],
        "spec": {"k": [1, 2.5]}, "threads": "3", "folder": str(warm.folder),
        "variables": sorted(({*os.environ} - {"PYTEST_CURRENT_TEST"}) | more),
        "handler": "default_int_handler",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('one line')", 1, "one line\n"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("no python", 1, "SyntaxError"),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL, ""),
        ("import os; os.kill(os.getpid(), 15)", -signal.SIGTERM, ""),
        ("import os; os.kill(os.getpid(), 2)", -signal.SIGINT, "KeyboardInterrupt"),
    ],
)
def test_how_a_script_fails_is_told(warm: Warm, text: str, status: int, said: str):
    with pytest.raises(subprocess.CalledProcessError) as raised:
        warm.run(text)
    assert raised.value.returncode == status
    output = (warm.folder / "said").read_text()
    assert said in output and "job.py" not in output


def test_what_is_to_be_done_at_the_end_is_done(warm: Warm):
    assert warm.run("import atexit; atexit.register(print, 'at the end'); print('now')")
    assert (warm.folder / "said").read_text() == "now\nat the end\n"


def test_a_job_leaves_nothing_to_the_next(warm: Warm, tmp_path: Path, monkeypatch: Any):
    monkeypatch.chdir(tmp_path)
    assert warm.run("import json, os; json.kept = os.environ['KEPT'] = 'yes'; os.chdir('/')")
    assert warm.run(
        "import json, os; assert not hasattr(json, 'kept') and 'KEPT' not in os.environ;"
        "open('here', 'w')"
    )
    assert (tmp_path / "here").exists()


def test_a_new_process_runs_it_where_something_has_changed(warm: Warm, monkeypatch: Any):
    added = warm.folder / "added.py"
    added.write_text("")
    assert not warm.run("1 / 0")
    added.unlink()
    with monkeypatch.context() as changed:
        changed.setenv("SOMETHING", "else")
        assert not warm.run("1 / 0")
    for name in ("conda_env", "container_img", "env_modules", "shadow_dir"):
        assert not warm.run("1 / 0", **{name: "one"})
    assert not warm.run("1 / 0", cleanup_scripts=False)
    assert warm.run("1 + 1")


def test_a_killed_worker_fails_its_jobs_and_takes_no_more(tmp_path: Path, capfd: Any):
    warm = Warm(tmp_path)
    text = f"""
import os, signal, time
from pathlib import Path
Path({str(tmp_path / "job")!r}).write_text(str(os.getpid()))
os.kill(os.getppid(), signal.SIGKILL)
time.sleep(100)
"""
    with pytest.raises(subprocess.CalledProcessError):
        warm.run(text)
    assert "run again" in capfd.readouterr().err
    wait_for_end([int((tmp_path / "job").read_text())])
    assert not warm.run("1 / 0")
    warm.jobs.end()


def test_without_a_worker_snakemake_runs_scripts(tmp_path: Path):
    class Cold(Warm):
        def __init__(self) -> None:
            super().__init__(tmp_path)
            self.jobs.end()

    assert not Cold().run("1 / 0")


def test_a_worker_that_is_there_ahead_waits_to_be_told(tmp_path: Path):
    """With --no-hooks nobody tells it; where no job is worth it, it ends."""

    class Ahead(Warm):
        def __init__(self) -> None:
            super().__init__(tmp_path)
            self.jobs.end()
            with _unnamed():
                self.jobs = WarmJobs(self.jobs._plain, tmp_path)
                self.jobs.begin(Path(NAME).stem)

    ahead = Ahead()
    worker = ahead.jobs._worker
    assert worker is not None and not ahead.run("1 / 0")
    ahead.jobs.start([Path(NAME).stem])
    assert ahead.jobs._worker is worker and ahead.run("1 + 1")
    ahead.jobs.start(["prune"])
    assert worker.poll() == 0 and not ahead.run("1 / 0")


def test_what_differs_from_the_last_run_is_seen_before_it_is_planned(tmp_path: Path):
    (tmp_path / "config" / "plot").mkdir(parents=True)
    seen = lambda asked="this": Foresight(asked, tmp_path)
    assert seen().has_jobs and seen().first_script == "solve"
    seen().remember()
    assert seen("that").first_script == "plot"
    assert not seen().has_jobs and seen("that").has_jobs
    for name in ("decay.py", "config/config.yaml", "config/plot/wide.yaml"):
        (tmp_path / name).write_text("")
        assert seen().has_jobs, name
        seen().remember()
        assert not seen().has_jobs, name


def test_scripts_are_known():
    """The table of imports names scripts that there are, and modules that there are."""
    there = {file.stem for file in (PROJECT / "workflow" / "scripts").glob("*.py")}
    known = in_order(there)
    assert {*there} - {*known} == {"advice", "prune"}
    for name in sorted({module for one in known for module in modules_of(one)}):
        if name.startswith("odeflow."):
            path = PROJECT / "src" / name.replace(".", "/")
            assert path.is_dir() or path.with_suffix(".py").exists(), name


def test_equinox_checks_are_off_though_equinox_is_imported(monkeypatch: Any):
    import equinox as eqx
    import jax.numpy as jnp

    monkeypatch.setattr("equinox._errors.EQX_ON_ERROR", "raise")
    monkeypatch.setenv("EQX_ON_ERROR", "raise")
    with pytest.raises(RuntimeError):
        eqx.error_if(jnp.array(1.0), jnp.array(True), "checked")
    without_equinox_checks()
    assert os.environ["EQX_ON_ERROR"] == "off"
    eqx.error_if(jnp.array(1.0), jnp.array(True), "not checked")  # "checked" is compiled


@pytest.mark.slow
def test_the_same_bytes_with_a_worker_and_without(tmp_path: Path):
    studies = [make_study(tmp_path / name) for name in ("warm", "cold")]
    snakemake(studies[0])
    snakemake(studies[1], "--no-hooks")  # which would start the worker
    assert not list(studies[0].glob(".snakemake/scripts"))
    assert list(studies[1].glob(".snakemake/scripts"))
    assert results(studies[0]) == results(studies[1])
    kept, others = (_what_is_recorded(study) for study in studies)
    assert kept == others and len({name.split("/")[1] for name in kept}) == 3


def _what_is_recorded(study: Path) -> dict[str, bytes]:
    """What models read, what stages read and wrote, and what was solved, by name."""
    kinds = ("manifests/*.json", "decay/records/*.json", "chunks/*/*.nc")
    files = [file for kind in kinds for file in study.glob(f"results/{kind}")]
    return {str(file.relative_to(study)): file.read_bytes() for file in files}


@pytest.mark.parametrize(
    "used",
    ["chunked = array.chunk(x=2)", "import dask.array; chunked = xr.DataArray(array.data).chunk()"],
)
def test_dask_is_imported_where_it_is_used(used: str):
    code = f"""
import sys
import odeflow.workflow.warm.without_dask
import numpy as np
import xarray as xr
array = xr.DataArray(np.arange(4.0), dims="x")
assert array.sum().values == 6 and "dask" not in sys.modules
{used}
import dask.array
assert isinstance(chunked.data, dask.array.Array) and chunked.sum().values == 6
assert xr.DataArray(dask.array.ones(4, chunks=2)).chunks == ((2, 2),)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
