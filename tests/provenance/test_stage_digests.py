"""A stage's digest is that of the modules it runs: a change in one is seen by exactly those."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import odeflow.files.source_code
from odeflow.files.source_code import PACKAGE, bare_code
from odeflow.provenance.sources import SOLVING, files_digest, source_digest, stage_code
from odeflow.workflow.specs import STAGES

ALL_STAGES = {"solve": SOLVING, **{stage: f"odeflow.workflow.stages.{stage}" for stage in STAGES}}
MODULES = sorted(path.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imported_by(module: str) -> frozenset[str]:
    """The modules that one names in its imports, those of its functions too, and their packages.

    Found by walking the tree, without what only type checkers see: independent of `source_code`.
    """
    base = PACKAGE.parent.joinpath(*module.split("."))
    file = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body, node.orelse = [], []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, file
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    names = {
        ".".join(name.split(".")[: n + 1]) for name in found for n in range(name.count(".") + 1)
    }
    return frozenset(names & {name_of(path) for path in MODULES})


def reached(module: str) -> set[str]:
    parts = module.split(".")
    pending, seen = [".".join(parts[:depth]) for depth in range(1, len(parts) + 1)], set[str]()
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending += imported_by(name)
    return seen


@pytest.fixture(scope="module")
def changed_by() -> dict[str, set[str]]:
    """Module -> the stages whose digest a constant changes that is put into it."""
    codes = {stage: stage_code(module) for stage, module in ALL_STAGES.items()}
    result = {}
    for path in MODULES:
        file = PACKAGE.parent / path
        text, stages = file.read_bytes(), set()
        for stage, code in codes.items():
            changes = {
                changed: stage_digest(code | ({file: bare_code(changed)} if file in code else {}))
                for changed in (
                    text + b"\n_ADDED = 1.5\n",
                    b"# a comment\n\n" + text + b"\n# and\n",
                )
            }
            constant, comment = changes.values()
            assert comment == stage_digest(code) == source_digest(ALL_STAGES[stage])
            if constant != comment:
                stages.add(stage)
        result[name_of(path)] = stages
    return result


def stage_digest(code: dict[Path, bytes]) -> str:
    return files_digest(PACKAGE.parent, code)


@pytest.mark.slow
def test_a_constant_changes_the_digests_of_exactly_the_stages_that_import_it(changed_by):
    needed = {stage: reached(module) for stage, module in ALL_STAGES.items()}
    for module, stages in changed_by.items():
        assert stages == {stage for stage in needed if module in needed[stage]}, module


@pytest.mark.slow
def test_what_a_stage_really_imports_is_in_its_digest(changed_by):
    for stage, module in ALL_STAGES.items():
        code = f"import sys, {module}; print(*(m for m in sys.modules if m[:7] == 'odeflow'))"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        for imported in done.stdout.split():
            assert stage in changed_by[imported], (stage, imported)


def test_stages_do_not_share_what_they_need_not():
    reach = {stage: reached(module) for stage, module in ALL_STAGES.items()}
    assert "odeflow.importers.petab.data" in reach["summarise"]
    assert "odeflow.importers.petab.data" not in reach["solve"]
    assert "odeflow.config.figure_choice" not in reach["solve"]
    assert [stage for stage in reach if "odeflow.report.overview" in reach[stage]] == ["overview"]
    assert "odeflow.engines.native.loop.lanes" in reach["solve"]


def test_comments_docstrings_and_blank_lines_do_not_count():
    text = b'"""About."""\nimport math\n\nRATE = 1.5\n\n\n'
    text += b'def f(x):\n    return RATE * x + len("# 1")\n'
    same = [
        text.replace(b"RATE = 1.5\n", b"RATE = 1.5  # per hour\n\n"),
        text.replace(b"About", b'About "x" # y'),
        text.replace(b"def f(x):\n", b'def f(x):\n    r"""What\n    it does."""\n    # how\n'),
        text.replace(b"\n", b"\r\n"),
        b"# first\n" + text,
    ]
    other = [
        text.replace(b"1.5", b"1.6"),
        text.replace(b'"# 1"', b'"# 2"'),
        text.replace(b'"# 1"', b'"#  1"'),
        text.replace(b"    return", b"        return"),
        text.replace(b'len("# 1")', b'len("""# 1\n\n""")'),
    ]
    assert {bare_code(one).replace(b"\r", b"") for one in same} == {bare_code(text)}
    assert len({bare_code(one) for one in [text, *other]}) == 1 + len(other)


@pytest.mark.parametrize("path", MODULES[::10], ids=str)
def test_the_code_that_is_left_means_the_same(path: Path):
    text = (PACKAGE.parent / path).read_bytes()
    left = odeflow.files.source_code.without_comments(text)
    assert b"#" not in left or b'"' in left
    assert ast.dump(ast.parse(left)) == ast.dump(ast.parse(text))
