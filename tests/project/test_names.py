"""One name for one thing: no two public classes of the package have the same name."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.support.snakes import PROJECT

PACKAGE = PROJECT / "src/odeflow"
#: Names that two classes may have, each with the reason.
ALLOWED: dict[str, str] = {}


def homes_of_classes(files: Iterable[Path]) -> dict[str, list[str]]:
    """Where the public classes at the top of these files are, by name: `file:line`."""
    homes = defaultdict(list)
    for file in sorted(files):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(f"{file}:{node.lineno}")
    return dict(homes)


def shared(homes: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The names with more than one home, and these."""
    return {name: places for name, places in homes.items() if len(places) > 1}


def test_no_two_public_classes_have_the_same_name():
    homes = homes_of_classes(PACKAGE.rglob("*.py"))
    assert len(homes) > 200
    found = shared(homes)
    assert {name: places for name, places in found.items() if name not in ALLOWED} == {}
    assert ALLOWED.keys() <= found.keys(), "take out of ALLOWED what is no longer shared"


def test_a_shared_name_is_found_and_a_private_one_is_not(tmp_path: Path):
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text("class Event: ...\nclass _Own: ...\nclass Only: ...\n")
    second.write_text("class _Own: ...\n\nclass Event: ...\n")
    places = [f"{first}:1", f"{second}:3"]
    assert shared(homes_of_classes([second, first])) == {"Event": places}
