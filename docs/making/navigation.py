"""The navigation: an entry that ends with `/` stands for the pages of that folder."""

from collections.abc import Iterator
from typing import Any

from docs.making.repository import ROOT

_DOCS = ROOT / "docs"


def expanded(nav: list[Any], generated: list[str]) -> list[Any]:
    """The navigation of `mkdocs.yml` with folders replaced by those pages that it does not name.

    A folder that is not there, or empty, is left out with its title. `./` is `docs/` itself.

    Arguments:
        nav: texts, and records of a title with a text or a list.
        generated: places of pages that are in no folder of `docs/`.
    """
    return _expanded(nav, generated, set(named(nav)))


def named(nav: list[Any]) -> Iterator[str]:
    """The texts of a navigation: places of pages, and folders."""
    for entry in nav:
        if isinstance(entry, str):
            yield entry
        else:
            for below in entry.values():
                yield from named(below if isinstance(below, list) else [below])


def _expanded(nav: list[Any], generated: list[str], known: set[str]) -> list[Any]:
    found: list[Any] = []
    for entry in nav:
        if isinstance(entry, str):
            found += _pages(entry, generated, known) if entry.endswith("/") else [entry]
            continue
        for title, below in entry.items():
            if isinstance(below, str) and not below.endswith("/"):
                found.append({title: below})
            elif inside := _expanded(
                below if isinstance(below, list) else [below], generated, known
            ):
                found.append({title: inside})
    return found


def _pages(folder: str, generated: list[str], known: set[str]) -> list[str]:
    """The pages of a folder: its index first, then by name, or in the order they were made."""
    there = sorted(path.relative_to(_DOCS).as_posix() for path in (_DOCS / folder).glob("*.md"))
    made = [place for place in generated if place.rpartition("/")[0] + "/" == folder]
    pages = [place for place in (*there, *made) if place not in known]
    return sorted(pages, key=lambda place: not place.endswith("/index.md"))
