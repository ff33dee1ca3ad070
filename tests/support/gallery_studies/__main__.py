"""Runs the studies of the gallery and writes its pages: see the package."""

import sys
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


def main(names: list[str]) -> None:
    """Runs them one after another, and keeps each at once."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for name in names or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            results = run(name, Path(folder))
            found = near(name, results)
            picture(name, results)
        (PAGES / f"{name}.md").write_text(page(name, found), encoding="utf-8")
        write_numbers({**known_numbers(), name: found})
        print(f"{name}: {found.sentence}", flush=True)
        assert found.error <= found.limit, f"{name}: {found.error:.3g} is above {found.limit:g}"


if __name__ == "__main__":
    main(sys.argv[1:])
