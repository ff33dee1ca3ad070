"""Which executed pages of the documentation were done as they and the program are now.

    python -m tests.support.done_pages [--all]

does the others, two at a time: the tutorials (`tests/support/tutorials.py`) and the recipes
(`tests/support/recipes.py`). `make docs` begins with it, and the tests ask it.
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path

from tests.support.snakes import PROJECT

#: Digests of pages that were done, by their names; where the page is, what it was done by.
RECORDS = PROJECT / "build/docs"
#: What a page's outcome depends on besides its own text.
_PROGRAM = (
    *("src", "config", "workflow", "Snakefile", "requirements.lock"),
    *("tests/support/done_pages.py", "tests/support/tutorials.py", "tests/support/recipes.py"),
)


def done_once(
    name: str, pages: Sequence[Path], do: Callable[[], None], again: bool = False
) -> bool:
    """Does pages unless that was done; whether they had to be.

    Arguments:
        name: of the record.
        pages: what is done.
        do: does it, raises AssertionError where it is not as printed.
        again: do it all the same.
    """
    record, digest = RECORDS / f"{name}.json", _digest(pages)
    if not again and record.exists() and json.loads(record.read_text())["digest"] == digest:
        return False
    started = time.monotonic()
    do()
    record.parent.mkdir(parents=True, exist_ok=True)
    found = {"digest": digest, "seconds": round(time.monotonic() - started, 1)}
    record.write_text(json.dumps(found) + "\n")
    return True


def _digest(pages: Sequence[Path]) -> str:
    """Of pages, and of the program."""
    return _hashed(pages, _program())


@cache
def _program() -> str:
    files: list[Path] = []
    for name in _PROGRAM:
        place = PROJECT / name
        files += sorted(place.rglob("*")) if place.is_dir() else [place]
    return _hashed([f for f in files if f.is_file() and f.parent.name != "__pycache__"], "")


def _hashed(files: Sequence[Path], start: str) -> str:
    found = hashlib.sha256(start.encode())
    for file in files:
        content = file.read_bytes()
        found.update(f"{file.relative_to(PROJECT)} {len(content)}\n".encode() + content)
    return found.hexdigest()


def _is_right(name: str, future: Future[bool]) -> bool:
    """Says what became of a page when it is done; whether it is as printed."""
    try:
        print(f"{name}: {'as printed' if future.result() else 'as before'}", flush=True)
    except AssertionError as error:
        print(f"{name}: {error}", file=sys.stderr, flush=True)
        return False
    return True


def main(words: list[str]) -> None:
    """Does what has changed, or `--all`; exit code 1 where a page is not as printed."""
    from tests.support import recipes, tutorials

    again = "--all" in words
    with ThreadPoolExecutor(2) as pool:
        futures = {name: pool.submit(tutorials.check, name, again) for name in tutorials.NAMES}
        futures["recipes"] = pool.submit(recipes.check, again)
        wrong = [name for name, future in futures.items() if not _is_right(name, future)]
    if wrong:
        sys.exit(f"not as printed: {', '.join(wrong)}")


if __name__ == "__main__":
    main(sys.argv[1:])
