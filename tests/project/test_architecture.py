"""ARCHITECTURE.md is true: the paths that it names are there, and the functions of its walks."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
import yaml

from odeflow.provenance.versions import VERSION
from tests.support.snakes import PROJECT

PACKAGE = PROJECT / "src/odeflow"
PAGE = re.sub(r"```.*?```", "", (PROJECT / "ARCHITECTURE.md").read_text(), flags=re.DOTALL)
#: Rooms have a heading each; what stands below it is named from there.
SECTIONS = re.split(r"^#{2,3} ", PAGE, flags=re.MULTILINE)
#: A file, or a folder with its slash, and perhaps a function in it.
NAMED = re.compile(r"`([\w./-]+(?:\.(?:py|smk|md|yaml|toml)|/))(?:: ([\w.]+))?`")
#: Names on the pages of what is no part of the project.
MADE_BY_A_RUN = {".snakemake/", "build/bench/", "site/", "study.yaml"}
#: Most files and folders directly in the package, its marker of types aside: what a newcomer can
#: take in at a glance.
MOST_ENTRIES, MARKER = 16, "py.typed"

WALKS = PAGE[PAGE.index("## Four walks") : PAGE.index("## Debts")]


def room_of(section: str) -> Path:
    """The folder that a section is about; the package where it is about none."""
    heading = re.match(r"`([\w/]+)/`", section)
    return PACKAGE / heading.group(1) if heading else PACKAGE


def found(name: str, room: Path) -> Path | None:
    """What a name stands for: in the room or below it, in the package, or in the project."""
    for folder in (room, PACKAGE, PROJECT):
        if (folder / name).exists():
            return folder / name
    below = [] if room == PACKAGE else sorted(room.rglob(name.rstrip("/")))
    return below[0] if below else None


@cache
def functions(file: Path) -> frozenset[str]:
    """Functions and classes at the top of a file, and `Class.method`."""
    text = file.read_text()
    if file.suffix == ".smk":
        return frozenset(re.findall(r"^def (\w+)\(", text, flags=re.MULTILINE))
    names = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (one for one in node.body if isinstance(one, ast.FunctionDef))
            names.update(f"{node.name}.{method.name}" for method in methods)
    return frozenset(names)


def test_every_path_is_there():
    named = [
        (name, room_of(section))
        for section in SECTIONS
        for name, _ in NAMED.findall(section)
        if name not in MADE_BY_A_RUN
    ]
    assert len(named) > 200
    assert [name for name, room in named if found(name, room) is None] == []


@pytest.mark.parametrize("page", ["docs/decisions.md", "CONTRIBUTING.md"])
def test_every_path_of_the_pages_beside_it_is_there(page: str):
    text = re.sub(r"```.*?```", "", (PROJECT / page).read_text(), flags=re.DOTALL)
    names = {name for name, _ in NAMED.findall(text) if name not in MADE_BY_A_RUN}
    places = [PACKAGE, PACKAGE / "importers", PACKAGE / "engines/native", PROJECT]
    beside = {path.name for path in [*PACKAGE.rglob("*.py"), *PROJECT.glob("benchmarks/*")]}
    there = {name for name in names if any((place / name).exists() for place in places)}
    assert names
    assert names - there - beside - {f"{name}/" for name in beside} == set()


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "docs/decisions.md", "CONTRIBUTING.md"])
def test_every_link_leads_somewhere(page: str):
    file = PROJECT / page
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", file.read_text())
    assert links
    assert [link for link in links if not (file.parent / link).is_file()] == []


def test_every_function_of_the_page_is_there():
    named = [(name, function, room_of(s)) for s in SECTIONS for name, function in NAMED.findall(s)]
    missing = []
    for name, function, room in named:
        file = found(name, room)
        if function and (file is None or function not in functions(file)):
            missing.append(f"{name}: {function}")
    assert missing == []


@pytest.mark.parametrize("walk", "abcd")
def test_every_hop_of_a_walk_names_a_file(walk: str):
    text = re.split(rf"^### \({walk}\)", WALKS, flags=re.MULTILINE)[1].split("\n### ")[0]
    hops = re.split(r"^\d+\. ", text, flags=re.MULTILINE)[1:]
    assert len(hops) >= 7
    assert [hop for hop in hops if not NAMED.search(hop)] == []


def test_the_citation_is_of_this_version():
    cited = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
    assert cited["version"] == VERSION
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert (cited["title"], cited["license"]) == (project["name"], project["license"])
    assert cited["authors"] == project["authors"]


def test_few_things_lie_directly_in_the_package():
    entries = sorted({path.name for path in PACKAGE.iterdir()} - {"__pycache__", MARKER})
    assert len(entries) <= MOST_ENTRIES, entries


def test_every_room_has_a_section_on_the_page():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms - {str(room_of(s).relative_to(PACKAGE)) for s in SECTIONS} == set()


def test_every_package_says_what_lives_there():
    packages = sorted({path.parent for path in PACKAGE.rglob("*.py")})
    silent = []
    for folder in packages:
        file = folder / "__init__.py"
        if not file.is_file() or not ast.get_docstring(ast.parse(file.read_text())):
            silent.append(str(folder.relative_to(PACKAGE)))
    assert silent == []
