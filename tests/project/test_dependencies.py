"""What is declared is what is imported, and each package is in the extra that needs it."""

import ast
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions

import pytest
import yaml
from packaging.requirements import Requirement

from odeflow.files.extras import EXTRAS
from tests.support.snakes import PROJECT

DECLARED = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
#: What a user installs: the dependencies, and the extras that `src/` imports from.
USED = {"": DECLARED["dependencies"]} | {
    extra: DECLARED["optional-dependencies"][extra]
    for extra in ("workflow", "sbml", "slurm", "cuda", "zarr", "explore")
}
#: Declared, and not imported by name.
NOT_IMPORTED = {
    "dask": "xarray reads a Zarr store piece by piece with it",
    "numba-cuda": "adds the target to Numba, which imports it as `numba.cuda`",
    "snakemake-executor-plugin-slurm": "Snakemake looks for it by its name",
}
#: Imported by a benchmark or by the making of a test's table, from an environment of its own.
ELSEWHERE = {
    "amici", "casadi", "gradsolve", "heyoka", "numbalsoda", "petab", "roadrunner",
    "rocrate_validator", "sksundae", "swig", "torch", "torchode", "warp",
}  # fmt: skip
#: pandas comes with xarray, Pillow with Matplotlib, and tests alone import them.
BROUGHT = {"pandas", "pillow"}
OWN = {"odeflow", "snakemake_logger_plugin_odeflow", "tests", "benchmarks", "docs"}


def names(requirements: Iterable[str]) -> set[str]:
    """The packages that requirements name, in one spelling."""
    return {spelled(Requirement(text).name) for text in requirements}


def spelled(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def brought() -> Mapping[str, list[str]]:
    """The packages that bring each module: reading what all say of themselves takes a second."""
    return packages_distributions()


@cache
def package_of(module: str) -> str:
    """The package that brings a module, among those that are installed; else the module's name."""
    found = {spelled(name) for name in brought().get(module, [module])}
    declared = {name for asked in USED.values() for name in names(asked)}
    return min(found & declared or found)


def modules(text: str) -> Iterator[str]:
    """The first names of what Python code imports, in functions too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def imported(*places: str) -> dict[str, list[str]]:
    """Third-party modules, and the files that import them."""
    found: dict[str, list[str]] = defaultdict(list)
    for place in places:
        path = PROJECT / place
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            text = file.read_text() if file.suffix in {".py", ".smk"} or file == path else ""
            if file.suffix != ".py":  # Snakemake's own language around lines of Python
                text = "\n".join(re.findall(r"^(?:from|import) [\w. ,]+$", text, re.MULTILINE))
            for module in {*modules(text)} - sys.stdlib_module_names - OWN:
                found[module].append(str(file.relative_to(PROJECT)))
    return found


def test_every_import_is_declared_and_every_declared_package_imported():
    found = imported("src", "workflow", "Snakefile")
    used = {package_of(module) for module in found}
    declared = {name for asked in USED.values() for name in names(asked)}
    assert len(used) > 15
    assert {m: files for m, files in found.items() if package_of(m) not in declared} == {}
    assert declared - used == {*NOT_IMPORTED}


def test_no_package_is_declared_twice():
    together = [name for asked in USED.values() for name in names(asked)]
    assert sorted({*together}) == sorted(together)


def test_messages_name_the_extra_that_has_the_package():
    modules_of = {module: package_of(module) for module in imported("src", "workflow", "Snakefile")}
    expected = {
        module: extra
        for module, package in modules_of.items()
        for extra, asked in USED.items() if extra and package in names(asked)
    }  # fmt: skip
    assert {m: x for m, x in EXTRAS.items() if m not in NOT_IMPORTED} == expected


@pytest.mark.parametrize("place", ["tests", "benchmarks", "docs"])
def test_what_tests_benchmarks_and_docs_import_is_declared(place: str):
    extras = [DECLARED["optional-dependencies"][extra] for extra in ("dev", "docs")]
    known = {name for asked in (*USED.values(), *extras) for name in names(asked)}
    found = {package_of(m): files for m, files in imported(place).items() if m not in ELSEWHERE}
    assert {p: files for p, files in found.items() if p not in known | BROUGHT} == {}


def test_the_environment_of_conda_has_what_a_run_needs():
    text = (PROJECT / "workflow/envs/odeflow.yaml").read_text()
    (installed,) = (x["pip"] for x in yaml.safe_load(text)["dependencies"] if isinstance(x, dict))
    asked = [Requirement(text) for text in (*USED[""], *USED["workflow"])]
    assert {str(Requirement(text)) for text in installed} == {*map(str, asked)}
