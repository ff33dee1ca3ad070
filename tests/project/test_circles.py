"""No module and no room imports itself by way of others, for a type or within a function either."""

import ast
from collections.abc import Container, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.snakes import PROJECT

PACKAGE = PROJECT / "src/odeflow"
#: Lines of the longest file that can still be read in one sitting.
MOST_LINES = 350
Graph = dict[str, set[str]]


def module_name(file: Path, root: Path) -> str:
    """The dotted name of a file below the folder `root`; a package is named by its folder."""
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(
    tree: ast.Module, name: str, is_package: bool, modules: Container[str]
) -> Iterator[str]:
    """What a module imports, wherever in it; `from a import b` is `a.b` if that is a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            here = name.split(".")
            above = here[: len(here) - node.level + is_package] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            whole = (f"{source}.{alias.name}" for alias in node.names)
            yield from (one if one in modules else source for one in whole)


def import_graph(package: Path) -> Graph:
    """The modules of a package that each of its modules imports."""
    files = {module_name(file, package.parent): file for file in package.rglob("*.py")}
    graph: Graph = {}
    for name, file in files.items():
        tree = ast.parse(file.read_text())
        found = imported(tree, name, file.name == "__init__.py", files)
        graph[name] = {*found} & files.keys() - {name}
    return graph


def between_children(graph: Graph, package: str) -> Graph:
    """The imports between the modules and packages directly in a package."""

    def child(name: str) -> str:
        return name.removeprefix(f"{package}.").partition(".")[0]

    inside = {m: found for m, found in graph.items() if m.startswith(f"{package}.")}
    result: Graph = {child(name): set() for name in inside}
    for name, found in inside.items():
        below = {child(other) for other in found if other.startswith(f"{package}.")}
        result[child(name)] |= below - {child(name)}
    return result


def circle(graph: Graph) -> list[str]:
    """Modules that import each other in a circle, the first of them again at the end; or none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


GRAPH = import_graph(PACKAGE)
PACKAGES = sorted(module_name(file, PACKAGE.parent) for file in PACKAGE.rglob("__init__.py"))


def test_no_module_is_in_a_circle():
    assert sum(map(len, GRAPH.values())) > 1000  # all of them have been looked at
    assert circle(GRAPH) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_in_a_package_is_in_a_circle(package: str):
    assert circle(between_children(GRAPH, package)) == []


def written(folder: Path, files: dict[str, str]) -> Graph:
    """The graph of the package `house` of these files."""
    for name, text in files.items():
        file = folder / "house" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(text)
    return import_graph(folder / "house")


@pytest.mark.parametrize(
    "back",
    [
        "from house.a import x",
        "from house import a",
        "import house.a",
        "from . import a",
        "from .a import x as y",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.a import X",
        "def f():\n    from house.a import x",
    ],
)
def test_every_kind_of_import_closes_a_circle(tmp_path: Path, back: str):
    found = circle(written(tmp_path, {"a.py": "from house.b import y", "b.py": back}))
    assert {*found} == {"house.a", "house.b"}


def test_rooms_are_in_a_circle_though_no_modules_are(tmp_path: Path):
    files = {"a/x.py": "from house.b.x import n", "b/x.py": "", "b/y.py": "from house.a import x"}
    graph = written(tmp_path, files)
    assert circle(graph) == []
    assert {*circle(between_children(graph, "house"))} == {"a", "b"}


def test_importing_a_neighbour_from_the_package_is_no_circle(tmp_path: Path):
    graph = written(
        tmp_path, {"__init__.py": "import house.a", "a.py": "from house import b", "b.py": ""}
    )
    assert graph["house.a"] == {"house.b"}
    assert circle(graph) == []


def test_no_file_is_too_long_to_read():
    lengths = {file: len(file.read_text().splitlines()) for file in PACKAGE.rglob("*.py")}
    long = {module_name(f, PACKAGE.parent): n for f, n in lengths.items() if n > MOST_LINES}
    assert long == {}
