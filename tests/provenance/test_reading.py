"""What a model reads by itself: a change of it is solved again, a touch is not."""

import contextlib
import os
import pickle
import py_compile
import sqlite3
import struct
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import odeflow
from odeflow.files.errors import ConfigError
from odeflow.provenance.observed import manifest, notify, things
from odeflow.provenance.observed.manifest import Manifest, _observe, observed
from odeflow.provenance.observed.places import Places
from odeflow.provenance.observed.seen import Seen
from odeflow.provenance.observed.things import Thing, is_outside, path_name
from odeflow.provenance.observed.watch import ReadWatch
from odeflow.workflow.chunks import solve_digest
from tests.support.snakes import make_study, planned, snakemake

FIELD = '\ndef decay(t, y, args):\n    return {"y": -FACTOR * args.k * y.y}\n'


@dataclass
class Way:
    """Files of a study, those that change (text, or a function), and the environment it needs.

    `models` is put before the field, which multiplies by FACTOR.
    """

    models: str
    files: dict[str, str] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)
    make: Callable[[Path, float], None] | None = None
    environment: dict[str, str] = field(default_factory=dict)


def write(study: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = study / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def one_file(models: str, name: str, before: str = "FACTOR = 1.0\n") -> Way:
    return Way(models, {name: before}, {name: before.replace("1.0", "2.0")})


def array(study: Path, value: float) -> None:
    np.save(study / "factor.npy", np.array([value]))


def without_source(study: Path, value: float) -> None:
    (study / "helper.py").write_text(f"FACTOR = {value}\n")
    py_compile.compile(str(study / "helper.py"), str(study / "helper.pyc"), doraise=True)
    (study / "helper.py").unlink()


#: A file that is neither in a study nor beside it.
OUTSIDE = Path(tempfile.gettempdir()) / f"odeflow-outside-{os.getuid()}" / "factor.txt"
HERE = "from pathlib import Path\nHERE = Path(__file__).parent\n"
PACKAGE = {"pack/__init__.py": "", "pack/part.py": "FACTOR = 1.0\n"}
THREE_DOTS = {
    **{f"pack/{folder}__init__.py": "" for folder in ("", "a/", "a/b/")},
    "pack/rates.py": "FACTOR = 1.0\n",
    "pack/a/b/part.py": "from ...rates import FACTOR\n",
}
#: The sixteen ways: what is read, and what changes.
WAYS = {
    "text": one_file(f"{HERE}FACTOR = float((HERE / 'f.txt').read_text())\n", "f.txt", "1.0\n"),
    "csv": one_file(
        "import numpy as np\nFACTOR = float(np.loadtxt('f.csv', delimiter=',', skiprows=1))\n",
        "f.csv", "factor\n1.0\n",
    ),
    "npy": Way(f"{HERE}import numpy as np\nFACTOR = np.load(HERE / 'factor.npy')[0]\n", make=array),
    "environment": Way(
        "import os\nFACTOR = float(os.environ['FACTOR_OF_A_TEST'])\n",
        environment={"FACTOR_OF_A_TEST": "1.0"},
    ),
    "import by text": one_file(
        "import importlib\nFACTOR = importlib.import_module('hel' + 'per').FACTOR\n", "helper.py"
    ),
    "init by a submodule": Way(
        "import pack.part\nFACTOR = pack.FACTOR\n",
        {"pack/__init__.py": "FACTOR = 1.0\n", "pack/part.py": ""},
        {"pack/__init__.py": "FACTOR = 2.0\n"},
    ),
    "init that changes another": Way(
        "from pack.part import rates\nFACTOR = rates['factor']\n",
        {
            "pack/__init__.py": "from pack import part\npart.rates['factor'] = 1.0\n",
            "pack/part.py": "rates = {}\n",
        },
        {"pack/__init__.py": "from pack import part\npart.rates['factor'] = 2.0\n"},
    ),
    "sys.path": one_file(
        f"{HERE}import sys\nsys.path.insert(0, str(HERE / 'lib'))\nfrom helper import FACTOR\n",
        "lib/helper.py",
    ),
    "parent folder": one_file(
        f"{HERE}import sys\nsys.path.insert(0, str(HERE.parent))\nfrom beside import FACTOR\n",
        "../beside.py",
    ),
    "module that imports another package": Way(
        "from helper import FACTOR\n",
        {"helper.py": "from pack.part import FACTOR\n", **PACKAGE},
        {"pack/part.py": "FACTOR = 2.0\n"},
    ),
    "star import": one_file("from helper import *\n", "helper.py"),
    "import in a function": one_file(
        "def factor():\n    from helper import FACTOR\n    return FACTOR\n\n\nFACTOR = factor()\n",
        "helper.py",
    ),
    "executed file": one_file("exec(open('helper.txt').read())\n", "helper.txt"),
    "file that is run": one_file(
        f"{HERE}import runpy\nFACTOR = runpy.run_path(str(HERE / 'run.py'))['FACTOR']\n", "run.py"
    ),
    "compiled helper": Way("from helper import FACTOR\n", make=without_source),
    "three dots": Way(
        "from pack.a.b.part import FACTOR\n", THREE_DOTS, {"pack/rates.py": "FACTOR = 2.0\n"}
    ),
}  # fmt: skip


def netcdf(study: Path, value: float) -> None:
    xr.Dataset({"factor": value}).to_netcdf(study / "factor.nc")


def beside(study: Path, value: float) -> None:
    xr.Dataset({"factor": value}).to_netcdf(study.parent / "factor.nc")


def parquet(study: Path, value: float) -> None:
    pd.DataFrame({"factor": [value]}).to_parquet(study / "factor.parquet")


def pickled(study: Path, value: float) -> None:
    (study / "factor.pkl").write_bytes(pickle.dumps(value))


def database(study: Path, value: float) -> None:
    (study / "factor.db").unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(study / "factor.db")) as connection, connection:
        connection.execute("create table t (x real)")
        connection.execute("insert into t values (?)", (value,))


def linked(study: Path, value: float) -> None:
    (study.parent / "elsewhere.txt").write_text(str(value))
    if not (study / "factor.txt").is_symlink():
        (study / "factor.txt").symlink_to(study.parent / "elsewhere.txt")


def one_more(study: Path, value: float) -> None:
    (study / "data").mkdir(exist_ok=True)
    (study / f"data/{value}.txt").write_text("")


def taken_away(study: Path, value: float) -> None:
    (study / "factor.txt").write_text("")
    if value == 2:
        (study / "factor.txt").unlink()


def appears(study: Path, value: float) -> None:
    if value == 2:
        (study / "local_settings.py").write_text("FACTOR = 2.0\n")


def put_before(study: Path, value: float) -> None:
    (study / "lib").mkdir(exist_ok=True)
    (study / "lib/helper.py").write_text("FACTOR = 1.0\n")
    if value == 2:
        (study / "helper.py").write_text("FACTOR = 2.0\n")


def zipped(study: Path, value: float) -> None:
    with zipfile.ZipFile(study / "lib.zip", "w") as file:
        file.writestr("helper.py", f"FACTOR = {value}\n")


def from_environment(code: str) -> Way:
    return Way(f"import os\nFACTOR = float({code})\n", environment={"FACTOR_OF_A_TEST": "1.0"})


def written(code: str, make: Callable[[Path, float], None]) -> Way:
    return Way(f"{HERE}{code}\n", make=make)


#: Others of the same kind.
SIBLINGS = {
    "os.getenv": from_environment("os.getenv('FACTOR_OF_A_TEST')"),
    "environ.get": from_environment("os.environ.get('FACTOR_OF_A_TEST', '1')"),
    "environb": from_environment("os.environb[b'FACTOR_OF_A_TEST']"),
    "in environ": from_environment("os.environ.copy()['FACTOR_OF_A_TEST']"),
    "expandvars": from_environment("os.path.expandvars('$FACTOR_OF_A_TEST')"),
    "json": one_file(
        f"{HERE}import json\nFACTOR = json.load(open(HERE / 'f.json'))['x']\n", "f.json",
        '{"x": 1.0}',
    ),
    "yaml": one_file(
        f"{HERE}import yaml\nFACTOR = yaml.safe_load((HERE / 'f.yaml').open())['x']\n", "f.yaml",
        "x: 1.0\n",
    ),
    "pickle": written(
        "import pickle\nFACTOR = pickle.load(open(HERE / 'factor.pkl', 'rb'))", pickled
    ),
    "pandas": one_file(
        f"{HERE}import pandas as pd\nFACTOR = float(pd.read_csv(HERE / 'f.csv')['x'][0])\n",
        "f.csv", "x\n1.0\n",
    ),
    "genfromtxt": one_file(
        "import numpy as np\nFACTOR = float(np.genfromtxt('f.csv'))\n", "f.csv", "1.0\n"
    ),
    "memmap": written(
        "import numpy as np\nFACTOR = np.load(HERE / 'factor.npy', mmap_mode='r')[0]", array
    ),
    "memmap as it is by default": written(
        "import numpy as np\nFACTOR = float(np.memmap(HERE / 'factor.npy', offset=128)"
        ".view(float)[0])",
        array,
    ),
    "in threads": one_file(
        f"{HERE}import numpy as np\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(2) as pool:\n"
        "    FACTOR = float(sum(pool.map(np.loadtxt, [HERE.parent / 'f.txt'] * 2)))\n",
        "../f.txt", "1.0\n",
    ),
    "opened for update": one_file("FACTOR = float(open('f.txt', 'r+').read())\n", "f.txt", "1.0\n"),
    "parquet": written(
        "import pyarrow.parquet as pq\n"
        "FACTOR = pq.read_table(str(HERE / 'factor.parquet'))['factor'][0].as_py()",
        parquet,
    ),
    "parquet by pandas": written(
        "import pandas as pd\nFACTOR = pd.read_parquet(HERE / 'factor.parquet')['factor'][0]",
        parquet,
    ),
    "netCDF4": written(
        "import netCDF4\nwith netCDF4.Dataset(HERE / 'factor.nc') as f:\n"
        "    FACTOR = float(f['factor'][...])",
        netcdf,
    ),
    "xarray": written(
        "import xarray as xr\nFACTOR = float(xr.open_dataset(HERE / 'factor.nc')['factor'])", netcdf
    ),
    "netCDF4 beside": written(
        "import netCDF4\nwith netCDF4.Dataset('../factor.nc') as f:\n"
        "    FACTOR = float(f['factor'][...])",
        beside,
    ),
    "sqlite": written(
        "import sqlite3\nFACTOR = sqlite3.connect(HERE / 'factor.db').execute('select x from t')"
        ".fetchone()[0]",
        database,
    ),
    "another program": one_file(
        "import subprocess\nFACTOR = float(subprocess.check_output(['cat', 'f.txt']))\n", "f.txt",
        "1.0\n",
    ),
    "link": written("FACTOR = float((HERE / 'factor.txt').read_text())", linked),
    "glob": written("FACTOR = float(len(list(HERE.glob('data/*.txt'))))", one_more),
    "listdir": written("import os\nFACTOR = float(len(os.listdir(HERE / 'data')))", one_more),
    "glob module": written("import glob\nFACTOR = float(len(glob.glob('data/*')))", one_more),
    "walk": written(
        "import os\nFACTOR = float(sum(len(n) for _, _, n in os.walk('data')))", one_more
    ),
    "exists": written("FACTOR = 1.0 if (HERE / 'factor.txt').exists() else 2.0", taken_away),
    "isfile": written(
        "import os\nFACTOR = 1.0 if os.path.isfile('factor.txt') else 2.0", taken_away
    ),
    "glob of a name": written(
        "import glob\nFACTOR = 1.0 if glob.glob('factor.txt') else 2.0", taken_away
    ),
    "lexists": written(
        "import os\nFACTOR = 1.0 if os.path.lexists(HERE / 'factor.txt') else 2.0", taken_away
    ),
    "a missing file": written(
        "try:\n    open('factor.txt')\n    FACTOR = 1.0\nexcept OSError:\n    FACTOR = 2.0",
        taken_away,
    ),
    "a missing module": written(
        "try:\n    from local_settings import FACTOR\nexcept ImportError:\n    FACTOR = 1.0",
        appears,
    ),
    "a module put before another": written(
        "import sys\nsys.path.append(str(HERE / 'lib'))\nfrom helper import FACTOR", put_before
    ),
    "zip": written(
        "import sys\nsys.path.insert(0, str(HERE / 'lib.zip'))\nfrom helper import FACTOR", zipped
    ),
    "resources": Way(
        "import importlib.resources, pack\n"
        "FACTOR = float(importlib.resources.files(pack).joinpath('f.txt').read_text())\n",
        {"pack/__init__.py": "", "pack/f.txt": "1.0\n"}, {"pack/f.txt": "2.0\n"},
    ),
    "pkgutil": Way(
        "import pkgutil\nFACTOR = float(pkgutil.get_data('pack', 'f.txt'))\n",
        {"pack/__init__.py": "", "pack/f.txt": "1.0\n"}, {"pack/f.txt": "2.0\n"},
    ),
    "while it is traced": one_file(
        "class Lazy:\n    def __getattr__(self, name):\n"
        "        return float(open(name + '.txt').read())\n"
        "\n\nclass Factor:\n    def __neg__(self):\n        return -Lazy().factor\n\n\n"
        "FACTOR = Factor()\n", "factor.txt", "1.0\n",
    ),
    "a name in a file": Way(
        f"{HERE}FACTOR = float((HERE / (HERE / 'which.txt').read_text()).read_text())\n",
        {"which.txt": "a.txt", "a.txt": "1.0", "b.txt": "2.0"}, {"which.txt": "b.txt"},
    ),
    "outside": Way(
        f"import tempfile\nFACTOR = float(open({str(OUTSIDE)!r}).read())\n",
        make=lambda _, value: (OUTSIDE.parent.mkdir(exist_ok=True), OUTSIDE.write_text(str(value))),
    ),
}  # fmt: skip


@pytest.fixture
def as_before() -> Iterator[None]:
    """What modules of the studies leave in this process is taken away, not installed packages."""
    environment, modules = dict(os.environ), set(sys.modules)
    yield
    os.environ.clear()
    os.environ.update(environment)
    for name in set(sys.modules) - modules:
        if "site-packages" not in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def start(folder: Path, way: Way) -> Path:
    study = make_study(folder / "study")
    (study / "models.py").write_text(way.models + FIELD)
    write(study, way.files)
    if way.make:
        way.make(study, 1.0)
    os.environ.update(way.environment)
    return study


def change(study: Path, way: Way) -> None:
    write(study, way.changed)
    if way.make:
        way.make(study, 2.0)
    os.environ.update(dict.fromkeys(way.environment, "2.0"))


def touch(study: Path) -> None:
    """Every file of the study's is new, and none is another."""
    for path in [*study.parent.glob("*.py"), *study.rglob("*")]:
        if path.is_file() and not {"results", ".snakemake"} & set(path.parts):
            os.utime(path)


def digest_of(study: Path, *overrides: str) -> str:
    config = odeflow.compose("experiment=decay", *overrides, study=study)
    return solve_digest(config, study)


@pytest.mark.slow
@pytest.mark.parametrize("name", WAYS)
def test_what_a_model_reads_is_solved_again_where_it_changes(
    name: str, tmp_path: Path, as_before: None
):
    way = WAYS[name]
    study = start(tmp_path, way)
    snakemake(study, "--until", "solve")
    (before,) = study.glob("results/chunks/*/*.nc")
    touch(study)
    assert "solve" not in planned(study)
    change(study, way)
    snakemake(study, "--until", "solve")
    (after,) = set(study.glob("results/chunks/*/*.nc")) - {before}
    import xarray as xr

    values = [xr.load_dataset(f, decode_times=False)["y"].values[:, -1] for f in (before, after)]
    rates = np.linspace(0.5, 2, 4)
    np.testing.assert_allclose(values[0], 3 * np.exp(-2 * rates), rtol=1e-4)
    np.testing.assert_allclose(values[1], 3 * np.exp(-4 * rates), rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", SIBLINGS)
def test_so_is_what_it_reads_in_other_ways(name: str, tmp_path: Path, as_before: None):
    way = SIBLINGS[name]
    study = start(tmp_path, way)
    before = digest_of(study)
    touch(study)
    assert digest_of(study) == before
    change(study, way)
    assert digest_of(study) != before


@pytest.mark.slow
def test_an_installed_package_counts_by_what_was_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    site = tmp_path / "environment/lib/site-packages"
    write(
        site,
        {
            "lab/__init__.py": "from lab.rates import FACTOR\n",
            "lab/rates.py": "FACTOR = 1.0\n",
            "lab-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: lab\nVersion: 1.0\n",
            "lab-1.0.dist-info/RECORD": "lab/__init__.py,sha256=a,1\nlab/data.txt,sha256=b,1\n",
            "lab-1.0.dist-info/top_level.txt": "lab\n",
        },
    )
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.syspath_prepend(site)
    study = start(tmp_path, Way("from lab import FACTOR\n"))
    digests = [digest_of(study)]
    found = observed(odeflow.compose("experiment=decay", study=study).model, study).things
    assert ("package", "lab") in {thing[:2] for thing in found}
    assert "jaxlib" not in {thing.name for thing in found}
    changes = {
        "lab/rates.py": "FACTOR = 2.0\n",
        "lab-1.0.dist-info/RECORD": "lab/__init__.py,sha256=a,1\nlab/data.txt,sha256=c,1\n",
        "lab-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: lab\nVersion: 1.1\n",
    }
    for name, text in changes.items():
        write(site, {name: text})
        digests.append(digest_of(study))
    assert len(set(digests)) == 4
    assert digest_of(study) == digests[-1]


#: What cannot be recorded, and what to say of it.
BEYOND = {
    "clock": ("import time\nFACTOR = 1.0 + 0 * time.time()\n", "models.py, line 2 reads the clock"),
    "date": (
        "from datetime import date\nFACTOR = 1.0 + 0 * date.today().year\n",
        "models.py, line 2 reads the clock",
    ),
    "network": (
        "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9), 0.1)\n"
        "except OSError:\n    FACTOR = 1.0\n",
        "models.py, line 3 uses the network",
    ),
    "program": ("import os\nFACTOR = 1.0 + os.system('true')\n", "line 2 starts another program"),
    "file": (f"FACTOR = float(open({str(OUTSIDE)!r}).read())\n", f"{OUTSIDE}, which is outside"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BEYOND)
def test_what_cannot_be_held_is_said(name: str, tmp_path: Path):
    OUTSIDE.parent.mkdir(exist_ok=True)
    OUTSIDE.write_text("1.0")
    models, said = BEYOND[name]
    study = start(tmp_path, Way(models))
    (note,) = observed(odeflow.compose("experiment=decay", study=study).model, study).notes
    assert said in note


@pytest.mark.slow
@pytest.mark.parametrize(
    "models",
    [
        "import random\nFACTOR = random.random()\n",
        "import numpy as np\nFACTOR = np.random.default_rng().random()\n",
        "import time\nFACTOR = time.time()\n",
        "import uuid\nFACTOR = uuid.uuid4().int / 2**128\n",
    ],
)
def test_a_model_that_is_another_each_time_is_refused(models: str, tmp_path: Path):
    study = start(tmp_path, Way(models))
    said = "models.py:decay is another function each time it is imported .* give a random generator"
    for _ in range(2):  # the second time from the manifest
        with pytest.raises(ConfigError, match=said):
            digest_of(study)
    (study / "models.py").write_text("FACTOR = 1.0\n" + FIELD)
    assert digest_of(study)


@pytest.mark.slow
def test_the_page_repeats_it_and_a_plan_reads_the_manifest(tmp_path: Path):
    study = start(tmp_path, Way("import time\nFACTOR = 1.0 + 0 * time.time()\n"))
    done = snakemake(study)
    line = "models.py, line 2 reads the clock, of which no later run knows"
    assert f"config of decay: {line}" in done.stdout
    assert line in (study / "results/decay/overview.html").read_text()
    (file,) = (study / "results/manifests").glob("*.json")
    good, number = file.read_text(), file.stat().st_ino
    assert planned(study) == {} and file.stat().st_ino == number
    for garbled in ("", good[:100], good.replace("models.py", "models_.py")):
        file.write_text(garbled)
        assert planned(study) == {} and file.read_text() == garbled  # a dry run writes nothing
    assert "Nothing to be done" in snakemake(study).stdout
    assert file.read_text() == good


def test_a_model_that_takes_too_long_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    study = start(tmp_path, Way("FACTOR = 1.0\n"))
    monkeypatch.setattr(manifest, "_PATIENCE", 0.01)
    found, is_traced = _observe(odeflow.compose("experiment=decay", study=study).model, study)
    (note,) = found.notes
    assert not is_traced and "could not be seen (the process took more than 0.01 s" in note
    assert ("file", "models.py") in {thing[:2] for thing in found.things}


@pytest.mark.slow
def test_a_program_that_a_model_leaves_running_holds_nothing_up(tmp_path: Path):
    code = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {!r}])\n"
    study = start(tmp_path, Way(code.format("import time; time.sleep(40)") + "FACTOR = 1.0\n"))
    began = time.monotonic()
    assert digest_of(study)
    assert time.monotonic() - began < 30


@pytest.fixture(scope="module")
def places() -> Places:
    return Places()


def test_a_file_that_is_opened_for_update_is_read_unless_it_changes(tmp_path: Path, places: Places):
    watch, frame = ReadWatch(places), sys._getframe()
    for name in ("kept", "kept by number", "changed", "longer", "log", "emptied"):
        (tmp_path / name).write_text("1.0")
    opened = {
        "kept": "rb+",
        "changed": "r+",
        "longer": "a+",
        "log": "a",
        "emptied": "w+",
        "new": "a+",
    }
    for name, mode in opened.items():
        watch._opened((str(tmp_path / name), mode, 0), frame)
    watch._opened((str(tmp_path / "kept by number"), None, os.O_RDWR | os.O_CREAT), frame)
    watch._opened((str(tmp_path / "made"), None, os.O_RDWR | os.O_CREAT), frame)
    (tmp_path / "changed").write_text("2.0")
    os.utime(tmp_path / "changed", (1, 1))
    (tmp_path / "longer").write_text("1.00")
    (tmp_path / "made").write_text("")
    watch.take_updates()
    read = {path.name for path in watch.files - watch.written}
    assert read == {"kept", "kept by number"}
    assert {path.name for path in watch.written} == {
        "changed", "longer", "log", "emptied", "new", "made",
    }  # fmt: skip


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux's")
def test_what_inotify_misses_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in "abc":
        (tmp_path / name).mkdir()
    assert notify.Opened(notify.folders_below([tmp_path])).misses is None
    assert "No such file" in str(notify.Opened([tmp_path / "gone"]).misses)
    opened = notify.Opened([tmp_path])
    (tmp_path / "f").write_text("")
    overflow = struct.pack("iIII", -1, 0x4000, 0, 0)
    answers = iter([overflow + os.read(opened._queue, 2**16), b""])
    monkeypatch.setattr(notify.os, "read", lambda *_: next(answers))
    assert opened.files() == {tmp_path / "f"}
    assert "more are opened at once" in str(opened.misses)
    monkeypatch.setattr(notify, "_MOST", 2)
    assert "more than 2 folders" in str(notify.Opened(notify.folders_below([tmp_path])).misses)


def test_what_a_thread_does_is_of_who_started_it(
    tmp_path: Path, places: Places, monkeypatch: pytest.MonkeyPatch
):
    watch, file = ReadWatch(places), str(tmp_path / "f.txt")
    inside: list[bool] = []
    monkeypatch.setattr(threading.Thread, "start", watch._starting(threading.Thread.start))

    def opened(frame: FrameType) -> None:
        """In a thread, where the frames but Python's own are none of the user's."""
        outer = frame
        while outer.f_back and "threading" not in outer.f_code.co_filename:
            outer = outer.f_back
        watch._opened((file, "r", 0), outer)
        watch.looked_at(file, outer)
        inside.append(watch.is_on)

    with watch.on():
        with ThreadPoolExecutor(1) as pool:
            watch.without_echo(lambda: pool.submit(lambda: None).result())  # starts it unseen
            pool.submit(lambda: opened(sys._getframe())).result()
        assert watch.files == set() and watch.existing == set()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: None).result()
            # what this thread notes of its own says nothing of another
            watch.without_echo(lambda: pool.submit(lambda: opened(sys._getframe())).result())
        assert watch.is_on
    assert watch.files == {Path(file)} == watch.existing
    assert inside == [True, True] and not watch.is_on


@pytest.mark.parametrize(
    ("models", "module", "counts"),
    [
        ("import numpy as np\nfrom pathlib import Path\nimport jax\nimport helper\n", "", False),
        ("def read():\n    import h5py\n", "", True),
        ("import pandas.io\n", "", True),
        ("from ctypes import CDLL\n", "", True),
        ("import os\n", "unheard_of", True),
        ("import os\n", "fast.so", True),
        ("import os\n", "starts another program", True),
    ],
)
def test_what_another_process_opens_in_the_study_is_no_input(
    models: str, module: str, counts: bool, tmp_path: Path, places: Places
):
    write(tmp_path, {"models.py": models, "helper.py": "", "notes.txt": "", "fast.so": ""})
    seen = Seen(ReadWatch(places), tmp_path, ["jax", "ctypes", "h5py.h5"])
    seen._modules = {name: tmp_path / f"{name}.py" for name in ("models", "helper")}
    if module.endswith(".so"):
        seen._modules["fast"] = tmp_path / module
    elif " " in module:
        seen._watch.beyond[module] = f"{tmp_path}/models.py:1"
    elif module:
        seen._used.add(module)
    opened = notify.Opened([tmp_path])
    (tmp_path / "notes.txt").read_text()
    opened.misses = "in some folders"
    seen.take_opened(opened)
    found = tmp_path / "notes.txt" in seen._watch.files
    assert found == (counts and sys.platform.startswith("linux"))
    assert bool(seen.notes) == counts


def test_a_manifest_that_was_not_written_by_this_is_none(tmp_path: Path):
    path = tmp_path / "results/m.json"
    told = Manifest((Thing("file", "a", "b"),), ("m",), ("n",), None)
    manifest._write(told, path)
    assert manifest._read(path) == told
    for broken in ("", "[]", "{", path.read_text().replace('"b"', '"c"')):
        path.write_text(broken)
        assert manifest._read(path) is None
    path.unlink()
    assert manifest._read(path) is None


def test_models_that_ship_need_no_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(manifest, "_observe", lambda *_: pytest.fail("a process was started"))
    config = odeflow.compose(study=tmp_path)
    assert observed(config.model, tmp_path) == Manifest()
    assert list(tmp_path.iterdir()) == []


def test_names_of_paths_move_with_the_study(tmp_path: Path):
    study = tmp_path / "a/study"
    names = ["x.txt", study / "b/x.txt", "../lib/x.py", tmp_path / "x.txt", "/usr/x"]
    found = [path_name(Path(name), study) for name in names]
    assert found == ["x.txt", "b/x.txt", "../lib/x.py", str(tmp_path / "x.txt"), "/usr/x"]
    assert [is_outside(name) for name in found] == [False, False, False, True, True]


def test_environment_variables_count_in_the_process_that_plans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    seen = Manifest((Thing("environment", "SOME_VARIABLE", "unset"),))
    assert seen.is_current(tmp_path)
    monkeypatch.setenv("SOME_VARIABLE", "1")
    assert not seen.is_current(tmp_path)
    manifest.trust_surroundings(True)
    assert seen.is_current(tmp_path, manifest._trusted)
    manifest.trust_surroundings(False)
    assert not seen.is_current(tmp_path, manifest._trusted)


def test_a_file_that_comes_during_a_run_stops_jobs_only_where_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    study = make_study(tmp_path / "study")
    model = odeflow.compose("experiment=decay", study=study).model

    def seen(files: str, program: str = "p") -> Manifest:
        kinds = {"listing": ["."], "existence": ["figure.png"], "file": files.split()}
        pairs = [(kind, name) for kind, names in kinds.items() for name in names]
        return Manifest(tuple(Thing(*p, things.present(*p, study)) for p in pairs), program=program)

    before = seen("models.py")
    path = study / manifest.FOLDER / f"{manifest._key(model)}.json"
    manifest._write(before, path)
    (study / "figure.png").write_text("")
    monkeypatch.setattr(manifest, "_unkept", {})
    for now, is_traced, holds in [
        (seen("models.py"), True, True),
        (seen("models.py figure.png"), True, False),
        (seen("models.py", "another"), True, False),
        (seen("models.py figure.png"), False, True),
    ]:
        answers = [(now, is_traced)]  # asked once in a process
        monkeypatch.setattr(manifest, "_observe", lambda *_, answers=answers: answers.pop())
        manifest.trust_surroundings(True)
        assert observed(model, study) == (before if holds else now)
        assert observed(model, study) == (before if holds else now)
        manifest.trust_surroundings(False)
        manifest._unkept.clear()
        monkeypatch.setattr(manifest, "_observe", lambda *_, now=now: (now, True))
        assert observed(model, study) == now  # a plan takes what is there
        manifest._unkept.clear()


@pytest.mark.slow
@pytest.mark.parametrize(("pattern", "holds"), [("*.csv", True), ("*.*", False)])
def test_a_job_whose_model_lists_the_study_sees_what_came(
    pattern: str, holds: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    study = start(tmp_path, Way(f"{HERE}FACTOR = float(len(list(HERE.glob({pattern!r}))))\n"))
    monkeypatch.setattr(manifest, "_unkept", {})
    write(study, {"a.csv": "", "b.csv": ""})
    planned_digest = digest_of(study)
    manifest.keep_manifests()
    write(study, {"figure.png": ""})
    try:
        manifest.trust_surroundings(True)
        assert (digest_of(study) == planned_digest) == holds
    finally:
        manifest.trust_surroundings(False)
