"""What a model reads by itself: a change of it is solved again, a touch is not."""

import os
import py_compile
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from snakes import make_study, planned, snakemake

import odeflow
from odeflow.chunks import solve_digest

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
        f"{HERE}import sys\nsys.path.insert(0, str(HERE.parent))\nfrom helper_beside import FACTOR\n",
        "../helper_beside.py",
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


@pytest.fixture
def as_before() -> Iterator[None]:
    """What modules of the studies leave in this process is taken away."""
    environment, modules = dict(os.environ), set(sys.modules)
    yield
    os.environ.clear()
    os.environ.update(environment)
    for name in set(sys.modules) - modules:
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
    assert planned(study)["solve"] == 1
    snakemake(study, "--until", "solve")
    (after,) = set(study.glob("results/chunks/*/*.nc")) - {before}
    import xarray as xr

    values = [xr.load_dataset(f, decode_times=False)["y"].values[:, -1] for f in (before, after)]
    rates = np.linspace(0.5, 2, 4)
    np.testing.assert_allclose(values[0], 3 * np.exp(-2 * rates), rtol=1e-4)
    np.testing.assert_allclose(values[1], 3 * np.exp(-4 * rates), rtol=1e-4)
