"""What source a module runs: the files that it imports, and their code without what says nothing.

Found by parsing, not by importing. Cheap, and without JAX.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from odeflow.files.collector import uncollected
from odeflow.files.compiled.parsed_sources import Import, Parsed, parsed_sources

PACKAGE = Path(__file__).resolve().parents[1]
_PARSER = Path(__file__)

_STRING = rb"""(?s:[rRbBuUfF]{0,2}(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''"""
_STRING += rb"""|"(?:\\.|[^\\"])*"|'(?:\\.|[^\\'])*'))"""
#: A string, or comments and what is blank up to the end of a line.
_STRING_OR_NOTHING = re.compile(rb"(%s)|(?:[ \t\f]*(?:#[^\r\n]*)?\r?\n)+|#[^\r\n]*" % _STRING)


def bare_code(text: bytes) -> bytes:
    """Python source without docstrings, comments and blank lines: what runs.

    The text as it is where it does not parse.
    """
    return _parsed(text)[0]


def keep_parsed() -> None:
    """Keeps what this process has parsed for the next one."""
    parsed_sources(_PARSER).keep()


@cache  # parsing is most of the cost; trees are not kept, they would slow the collector
def _parsed(text: bytes) -> Parsed:
    """The bare code, and the imports in it."""
    known = parsed_sources(_PARSER)
    found = known.get(text)
    if found is None:
        found = _parsed_now(text)
        known.add(text, found)
    return found


def _parsed_now(text: bytes) -> Parsed:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text, ()  # reported when the file is imported
    parts, at = [], 0
    for start, stop in sorted(_docstrings(tree, text)):
        parts.append(text[at:start])
        at = stop
    imports: list[Import] = []
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            imports += [(0, alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            taken = tuple(alias.name for alias in node.names)
            imports.append((node.level, node.module or "", taken))
    return without_comments(b"".join([*parts, text[at:]])), tuple(imports)


def without_comments(text: bytes) -> bytes:
    """Python source without comments and blank lines; strings stay as they are."""
    return _STRING_OR_NOTHING.sub(lambda found: found.group(1) or b"\n", text).strip()


def _docstrings(tree: ast.Module, text: bytes) -> Iterator[tuple[int, int]]:
    """Where the docstrings of a module are in its text."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in (tree, *_statements(tree)):
        if not isinstance(node, documented) or not node.body:
            continue
        first = node.body[0]
        if not isinstance(first, ast.Expr) or not isinstance(first.value, ast.Constant):
            continue
        value = first.value
        if isinstance(value.value, str) and value.end_lineno and value.end_col_offset:
            yield (
                starts[value.lineno - 1] + value.col_offset,
                starts[value.end_lineno - 1] + value.end_col_offset,
            )


def module_file(parts: list[str], root: Path | None = None) -> Path | None:
    """The file of a module or package under a root, this package's by default."""
    base = (root or PACKAGE.parent).joinpath(*parts)
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def file_of_module(name: str) -> Path | None:
    """The file of a module, odeflow's own or an installed one; None where it has none."""
    parts = name.split(".")
    return module_file(parts) or installed_file(parts)


def installed_file(parts: list[str]) -> Path | None:
    """The file of an installed module; None where it has none."""
    import importlib.util

    try:
        spec = importlib.util.find_spec(".".join(parts))
    except Exception:  # a package on the way there may raise anything; said when it is imported
        return None
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None


def source_tree(
    starts: Iterable[Path], root: Path, within: Path | None = None
) -> dict[Path, bytes]:
    """Content of files and of all files under `root` that they import, transitively.

    Only those in `within`, if given: a package stands among all others that are installed.
    """
    pending, seen = [start.resolve() for start in starts], {}
    root, within = root.resolve(), (within or root).resolve()
    find = _own_imports if root == PACKAGE.parent else _imports
    with uncollected():
        while pending:
            path = pending.pop()
            if path in seen or not path.is_relative_to(within):
                continue
            seen[path] = path.read_bytes()
            pending += find(seen[path], path, root)
    return seen


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """All statements of a module, at any depth, but those that only type checkers see."""
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        for inner in getattr(node, block, ()):
            if isinstance(inner, ast.stmt):
                yield inner
            if not (isinstance(inner, ast.If) and _is_type_checking(inner.test)):
                yield from _statements(inner)


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return name == "TYPE_CHECKING"


def _imports(text: bytes, path: Path, root: Path) -> list[Path]:
    package = path.relative_to(root).parent.parts
    find = _own_module if root == PACKAGE.parent else _module
    files = (find(parts, root) for parts in _imported_names(text, package))
    return [file for file in files if file is not None]


def _module(parts: tuple[str, ...], root: Path) -> Path | None:
    file = module_file(list(parts), root)
    return None if file is None else file.resolve()


@cache
def _own_module(parts: tuple[str, ...], root: Path) -> Path | None:
    return _module(parts, root) if parts in _own_names() else None


@cache
def _own_names() -> frozenset[tuple[str, ...]]:
    """The names, as their parts, of the modules and packages beside and in this package: of what
    else is installed there, only a look at the disk for each name would say that it is no part.
    """
    files = (path.relative_to(PACKAGE.parent).with_suffix("") for path in PACKAGE.rglob("*.py"))
    return frozenset(path.parts[:-1] if path.name == "__init__" else path.parts for path in files)


#: Files of this package do not come and go while it runs, and the stages share most of them.
_own_imports = cache(_imports)


def _imported_names(text: bytes, package: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Names, as their parts, of all that a module of a package imports, or may import.

    Packages on the way to a module count: their `__init__` runs first.
    """
    names: list[tuple[str, ...]] = []
    for level, module, taken in _parsed(text)[1]:
        base = package[: len(package) - level + 1] if level else ()
        base += tuple(module.split(".")) if module else ()
        names += [base, *((*base, name) for name in taken)]
    ways = (parts[:depth] for parts in names for depth in range(1, len(parts) + 1))
    return list(dict.fromkeys(ways))
