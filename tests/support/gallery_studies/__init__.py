"""The gallery: published results remade by the studies of `examples/gallery`.

    python -m tests.support.gallery_studies [NAME ...]

runs all studies, or some, in a temporary folder by `odeflow run`, computes how near each is to what
was published (its `near.py`), and writes pictures, pages and numbers into `docs/gallery/`.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from odeflow.importers.study.compose import compose
from tests.support.snakes import PROJECT

STUDIES = PROJECT / "examples/gallery"
PAGES = PROJECT / "docs/gallery"
NUMBERS = PAGES / "numbers.json"
NAMES = sorted(folder.name for folder in STUDIES.iterdir() if (folder / "near.py").is_file())
#: The figure that a page shows; the first of the experiment's, where none is named.
SHOWN = {"enrichment": "metric_scatter", "lorenz63": "growth"}
#: A picture's colours: a palette keeps it small.
_COLOURS = 256


class Near(NamedTuple):
    """How near a study is to what was published."""

    error: float
    #: What the error may be at most.
    limit: float
    sentence: str


def code_lines(name: str) -> int:
    """Lines of a study's YAML and of its model's functions."""
    folder = STUDIES / name
    files = [*folder.rglob("*.yaml"), *folder.glob("models.py")]
    return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)


def run(name: str, folder: Path) -> Path:
    """Runs a study in a folder of its own; returns that of its results."""
    study = folder / name
    own = shutil.ignore_patterns("results", ".snakemake", "__pycache__")
    shutil.copytree(STUDIES / name, study, ignore=own, dirs_exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "odeflow", "run", f"experiment={name}"], cwd=study, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
    )  # fmt: skip
    assert done.returncode == 0, f"{name}: {done.stdout}"
    return study / "results" / name


def near(name: str, results: Path) -> Near:
    """What the study's `near.py` says of its results."""
    module = _comparison(name)
    error, sentence = module.near(results)
    return Near(float(error), float(module.LIMIT), sentence)


def picture(name: str, results: Path) -> None:
    """Puts the study's figure beside its page, in few colours."""
    with Image.open(results / "figures" / f"{_figure(name)}.png") as drawn:
        few = drawn.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    few.save(PAGES / f"{name}.png", optimize=True)


def page(name: str, found: Near) -> str:
    """The page of a study: its picture, what was remade, how near, and all of its files."""
    title, about = _words(name)
    source = re.sub(
        r"\s+", " ", str(compose(f"experiment={name}", study=STUDIES / name).model.references)
    )
    files = "\n\n".join(_shown(STUDIES / name, file) for file in _files(name))
    return "\n".join([
        f"# {title}", "", f"![{title}]({name}.png)", "",
        f"**What was remade.** {about}", "",
        f"**From** {_linked(source)}", "",
        f"**How near:** {found.sentence}.", "",
        f"Run it in `examples/gallery/{name}` with `odeflow run experiment={name}`.",
        "`near.py` there has the comparison; this page, its picture and its number are made by",
        f"`python -m tests.support.gallery_studies {name}`.", "",
        files, "",
    ])  # fmt: skip


def index(numbers: dict[str, Near]) -> str:
    """The page of all studies."""
    parts = [
        "# Gallery", "",
        "Published results, each remade by a study of less than sixty lines, its YAML and its",
        "model's functions together.", "",
    ]  # fmt: skip
    for name in NAMES:
        title, _ = _words(name)
        parts += [f"## [{title}]({name}.md)", "", f"[![{title}]({name}.png)]({name}.md)", ""]
        parts += [f"{numbers[name].sentence[:1].upper()}{numbers[name].sentence[1:]}.", ""]
    return "\n".join(parts)


def known_numbers() -> dict[str, Near]:
    """How near the studies were when the pages were written."""
    if not NUMBERS.is_file():
        return {}
    return {name: Near(**row) for name, row in json.loads(NUMBERS.read_text()).items()}


def write_numbers(numbers: dict[str, Near]) -> None:
    """Keeps how near the studies are, and with it the page of all of them."""
    rows = {name: numbers[name]._asdict() for name in sorted(numbers)}
    NUMBERS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if rows.keys() == {*NAMES}:
        (PAGES / "index.md").write_text(index(numbers), encoding="utf-8")


def _comparison(name: str):
    spec = importlib.util.spec_from_file_location(f"near_{name}", STUDIES / name / "near.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _words(name: str) -> tuple[str, str]:
    """Title and text of a page: the docstring of `near.py`."""
    title, _, about = (_comparison(name).__doc__ or "").partition("\n\n")
    return title, " ".join(about.split())


def _figure(name: str) -> str:
    if name in SHOWN:
        return SHOWN[name]
    first = compose(f"experiment={name}", study=STUDIES / name).plot.figures[0]
    return first.rsplit(":", 1)[-1]


def _files(name: str) -> list[Path]:
    folder = STUDIES / name
    patterns = ("config/experiment/*.yaml", "config/model/*.yaml", "models.py", "figures.py")
    return [file for pattern in patterns for file in sorted(folder.glob(pattern))]


def _shown(folder: Path, file: Path) -> str:
    kind = "python" if file.suffix == ".py" else "yaml"
    name, text = file.relative_to(folder), file.read_text(encoding="utf-8").rstrip()
    return f"`{name}`:\n\n```{kind}\n{text}\n```"


def _linked(text: str) -> str:
    return re.sub(r"https?://\S+?(?=[.,]?(?:\s|$))", r"<\g<0>>", text)
