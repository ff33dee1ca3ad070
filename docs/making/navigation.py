"""The navigation: an entry that ends with `/` stands for the pages of that folder."""

from typing import Any

from docs.making.repository import ROOT


def expanded(nav: list[Any], generated: list[str]) -> list[Any]:
    """The navigation of `mkdocs.yml` with folders replaced by their pages.

    A folder that is not there, or empty, is left out with its title.

    Arguments:
        nav: texts, and records of a title with a text or a list.
        generated: places of pages that are in no folder of `docs/`.
    """
    found: list[Any] = []
    for entry in nav:
        if isinstance(entry, str) and entry.endswith("/"):
            found += _pages(entry, generated)
        elif isinstance(entry, str):
            found.append(entry)
        else:
            for title, below in entry.items():
                inside = expanded(below if isinstance(below, list) else [below], generated)
                if isinstance(below, str) and not below.endswith("/"):
                    found.append({title: below})
                elif inside:
                    found.append({title: inside})
    return found


def _pages(folder: str, generated: list[str]) -> list[str]:
    """The pages of a folder: its index first, then by name, or in the order they were made."""
    there = sorted(
        path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs" / folder).glob("*.md")
    )
    made = [place for place in generated if place.rpartition("/")[0] + "/" == folder]
    return sorted([*there, *made], key=lambda place: not place.endswith("/index.md"))
