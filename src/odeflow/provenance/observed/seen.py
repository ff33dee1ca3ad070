"""From what a watch has seen to the things that a manifest names, and the lines on the rest."""

from __future__ import annotations

import ast
import importlib.metadata
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from odeflow.files.source_code import PACKAGE
from odeflow.provenance.observed.clocks import CLOCK, clock_lines
from odeflow.provenance.observed.notify import Opened
from odeflow.provenance.observed.things import absolute, is_outside, path_name
from odeflow.provenance.observed.watch import WHOLE_ENVIRONMENT, ReadWatch
from odeflow.provenance.versions import NUMERICAL_PACKAGES

#: An installed package with more modules than these counts by version and RECORD alone.
_MOST_MODULES = 200
#: Modules that open files, or start processes that do, as Python's audit does not see; of
#: installed packages also all that are not known.
_UNSEEN = {
    "ctypes", "dbm", "multiprocessing", "concurrent", "h5py", "netCDF4", "pandas", "polars",
    "pyarrow", "tables", "xarray", "zarr",
}  # fmt: skip

#: Variables that differ in each terminal, when all are read.
_OF_A_SESSION = {
    "_", "COLUMNS", "DISPLAY", "HISTFILE", "LINES", "LS_COLORS", "OLDPWD", "PWD", "SHLVL", "TERM",
    "TMUX", "WINDOWID",
}  # fmt: skip


def _is_of_a_session(name: str) -> bool:
    return name in _OF_A_SESSION or name.startswith(("SSH_", "XDG_", "TERM_", "TMUX_", "ODEFLOW_"))


class Seen:
    """What a model reads; `before` are the names of the modules that were there before it."""

    def __init__(self, watch: ReadWatch, study: Path, before: Iterable[str]) -> None:
        self.notes: list[str] = []
        self._watch, self._study, self._before = watch, study, frozenset(before)
        self._modules: dict[str, Path] = {}
        self._used: set[str] = set()
        self._roots: set[Path] = set()
        self._refused: str | None = None

    def take_modules(self) -> None:
        """Notes the modules that are there now, and which packages the user's own name."""
        places = self._watch.places
        for name, module in list(sys.modules.items()):
            file = _file_of(module)
            if name in self._before or file is None:
                continue
            self._modules[name] = file
            if self._is_users(file):
                self._used |= {top for top in map(_top, vars(module).values()) if top}
        for entry in sys.path:
            folder = absolute(entry or ".")
            inside = places.installed(folder / "_.py") or PACKAGE.is_relative_to(folder)
            if folder.is_dir() and not inside and places.kind(str(folder / "_.py")) == "users":
                self._roots.add(folder)
        self._roots |= {file.parent for file in self._modules.values() if self._is_users(file)}

    def forget_modules(self) -> None:
        """Lets the user's modules be imported again."""
        for name, file in self._modules.items():
            if self._is_users(file):
                sys.modules.pop(name, None)

    def take_opened(self, opened: Opened) -> None:
        """Takes the files that compiled code has opened, or is likely to have."""
        watch, files = self._watch, opened.files()
        watch.take_updates()
        if self._opens_unseen():  # else another process did, such as an editor
            watch.files |= {file for file in files if watch.places.installed(file) is None}
            if opened.misses:
                self.notes.append(
                    "files that compiled packages and other programs open cannot all be seen "
                    f"{opened.misses}; name them in model.data"
                )
        for source in [file for file in self._files() if file.suffix == ".py"]:
            tree = _parsed(source)
            watch.files |= set(_mentioned(tree, source, self._study))
            for line in clock_lines(tree) if self._is_users(source) else ():
                watch.beyond.setdefault(CLOCK, f"{source}:{line}")

    def _opens_unseen(self) -> bool:
        """Whether files may be opened otherwise than by Python: yes where that is not known."""
        tops, own, compiled = set(self._used), set[str](), set[str]()
        for name, file in self._modules.items():
            top = name.split(".", 1)[0]
            tops.add(top)
            if self._is_users(file):
                (own if file.suffix in (".py", ".pyc") else compiled).add(top)
        for source in [file for file in self._files() if file.suffix == ".py"]:
            tops |= set(_imports(_parsed(source))) if self._is_users(source) else set()
        known = {name.split(".", 1)[0] for name in self._before} | own
        known |= {*NUMERICAL_PACKAGES, "odeflow", *sys.stdlib_module_names}
        starts = any(what.startswith("starts another") for what in self._watch.beyond)
        return (
            starts or self._watch.loads_libraries or bool(tops - known | tops & _UNSEEN | compiled)
        )

    def refuse(self, origin: str) -> None:
        """The model was different the second time."""
        where = [f"{place} {what}" for what, place in self._beyond()]
        self._refused = (
            f"model.vector_field: {origin} is another function each time it is imported "
            f"({'; '.join(where) or 'does it take random numbers?'}); give a random generator a "
            "seed, or keep the numbers in a file of model.data"
        )

    def as_data(self) -> dict[str, Any]:
        """Plain data: things as kind and name, sorted."""
        watch, study = self._watch, self._study
        files = self._files()
        things = {("file", path_name(file, study)) for file in files}
        parents = {*study.absolute().parents, study.absolute()}
        for path in watch.existing - files - watch.written - parents:
            if watch.places.kind(str(path)) == "users" and watch.places.installed(path) is None:
                things.add(("existence", path_name(path, study)))
        things |= {("listing", path_name(path, study)) for path in watch.listed}
        if WHOLE_ENVIRONMENT in watch.beyond:
            watch.variables -= {name for name in watch.variables if _is_of_a_session(name)}
        things |= {("environment", name) for name in watch.variables}
        roots = {path_name(root, study) for root in self._roots}
        things |= {("modules", name) for name in roots if not is_outside(name)}
        things |= self._packages()
        self._note(name for kind, name in things if kind == "file")
        return {
            "things": sorted(things),
            "imported": sorted({*watch.imported, *(n.split(".")[0] for n in self._modules)}),
            "notes": sorted(self.notes),
            "refused": self._refused,
        }

    def _note(self, files: Iterable[str]) -> None:
        places = self._watch.places
        for name in sorted(files):
            if is_outside(name) and places.installed(Path(name)) is None:
                self.notes.append(f"the model reads {name}, which is outside of the study")
        self.notes += [
            f"{place} {what}, of which no later run knows" for what, place in self._beyond()
        ]

    def _beyond(self) -> list[tuple[str, str]]:
        found = []
        for what, place in sorted(self._watch.beyond.items()):
            file, _, line = place.rpartition(":")
            found.append((what, f"{path_name(Path(file), self._study)}, line {line}"))
        return found

    def _is_users(self, file: Path) -> bool:
        places = self._watch.places
        return places.kind(str(file)) == "users" and places.installed(file) is None

    def _files(self) -> set[Path]:
        places = self._watch.places
        counts: dict[str, int] = {}
        for file in self._modules.values():
            package = places.installed(file)
            if package is not None:
                counts[package] = counts.get(package, 0) + 1
        found = self._watch.files - self._watch.written
        for file in self._modules.values():
            package = places.installed(file)
            few = package is None or counts[package] <= _MOST_MODULES
            if places.kind(str(file)) == "users" and few:
                found.add(file)
        return found

    def _packages(self) -> set[tuple[str, str]]:
        """Installed packages whose modules the user's own name or bring in, as things.

        What odeflow rests on itself counts by its version, others by all that was installed.
        """
        places = self._watch.places
        tops = set(self._used)
        for name, file in self._modules.items():
            package = places.installed(file)
            if package is not None and not places.is_trusted(package):
                tops |= {package, name.split(".", 1)[0]}
        known = _distributions()
        return {
            ("version" if places.is_trusted(top) else "package", package)
            for top in tops
            for package in known.get(top, ())
            if package not in (*NUMERICAL_PACKAGES, "odeflow")  # those are in every digest
        }


@cache
def _distributions() -> dict[str, list[str]]:
    return {
        name: list(found) for name, found in importlib.metadata.packages_distributions().items()
    }


def _file_of(module: Any) -> Path | None:
    file = getattr(module, "__file__", None)
    return absolute(file) if isinstance(file, str) else None


def _top(value: Any) -> str | None:
    """The first name of the module that something is or comes from."""
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return name.split(".", 1)[0] if isinstance(name, str) else None


def _parsed(source: Path) -> ast.Module:
    try:
        return ast.parse(source.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return ast.Module([], [])


def _imports(tree: ast.Module) -> Iterable[str]:
    """First names of the modules that a module imports anywhere in it, but relative ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".", 1)[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".", 1)[0]


def _mentioned(tree: ast.Module, source: Path, study: Path) -> Iterable[Path]:
    """Files beside the study that a module names, whoever opens them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if 3 < len(text) < 300 and text.startswith(("..", "/")) and text.isprintable():
                for root in (study, source.parent):
                    path = absolute(root / text)
                    if path.is_file():
                        yield path
