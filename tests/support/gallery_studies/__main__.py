"""Runs the studies of the gallery and writes its pages: see the package."""

import argparse
import tempfile
from pathlib import Path

from tests.support.gallery_studies import (
    NAMES,
    PAGES,
    known_numbers,
    near,
    page,
    picture,
    run,
    write_numbers,
)


def main(names: list[str], folder: Path) -> None:
    """Runs them one after another, and keeps what is found of each at once."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for name in names or NAMES:
        results = run(name, folder)
        found = near(name, results)
        picture(name, results)
        (PAGES / f"{name}.md").write_text(page(name, found), encoding="utf-8")
        write_numbers({**known_numbers(), name: found})
        print(f"{name}: {found.sentence}", flush=True)
        assert found.error <= found.limit, f"{name}: {found.error:.3g} is above {found.limit:g}"


if __name__ == "__main__":
    asked = argparse.ArgumentParser(prog="python -m tests.support.gallery_studies")
    asked.add_argument("names", nargs="*", metavar="NAME", help="studies; default: all")
    asked.add_argument("--folder", type=Path, help="where results are kept for the next time")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        main(given.names, given.folder or Path(temporary))
