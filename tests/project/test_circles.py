"""No module and no room imports itself by way of others, be it for a type or inside of a function."""

import ast
from collections.abc import Iterable, Iterator
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


def imported(tree: ast.Module, name: str, is_package: bool) -> Iterator[str]:
    """What a module imports, wherever in it: modules, and names in them as if they were modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            here = name.split(".")
            above = here[: len(here) - node.level + is_package] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def import_graph(package: Path) -> Graph:
    """The modules of a package that each of its modules imports.

    Of `from a import b` that is `a.b` where it is a module, else `a`.
    """
    root = package.parent
    files = {module_name(file, root): file for file in package.rglob("*.py")}
    graph: Graph = {}
    for name, file in files.items():
        found = {*imported(ast.parse(file.read_text()), name, file.name == "__init__.py")}
        known = found & files.keys()
        # `a` is meant by `from a import b` only where some b is no module
        plain = {m for m in known if not any(x.startswith(f"{m}.") for x in known)}
        named = {
            m for m in known if any(x.rpartition(".")[0] == m and x not in files for x in found)
        }
        graph[name] = (plain | named) - {name}
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


def written(folder: Path, **files: str) -> Graph:
    """The graph of a package of these modules; `a__b` is the module b of the package a."""
    package = folder / "house"
    for name, text in {"__init__": "", **files}.items():
        file = package / f"{name.replace('__', '/', 1) if name != '__init__' else name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(text)
    return import_graph(package)


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
    found = circle(written(tmp_path, a="from house.b import y", b=back))
    assert {*found} == {"house.a", "house.b"}


def test_rooms_are_in_a_circle_though_no_modules_are(tmp_path: Path):
    graph = written(tmp_path, a__x="from house.b.x import n", b__x="", b__y="from house.a import x")
    assert circle(graph) == []
    assert {*circle(between_children(graph, "house"))} == {"a", "b"}


def test_importing_a_neighbour_from_the_package_is_no_circle(tmp_path: Path):
    files: Iterable[tuple[str, str]] = [("a", "from house import b"), ("b", "x = 1")]
    graph = written(tmp_path, **dict(files))
    assert graph["house.a"] == {"house.b"}


def test_no_file_is_too_long_to_read():
    lengths = {file: len(file.read_text().splitlines()) for file in PACKAGE.rglob("*.py")}
    long = {module_name(f, PACKAGE.parent): n for f, n in lengths.items() if n > MOST_LINES}
    assert long == {}
