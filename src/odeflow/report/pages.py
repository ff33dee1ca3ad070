"""HTML pages of results: templates are in `templates/`, text becomes markup here alone."""

import base64
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@cache
def _templates() -> Environment:
    loader = PackageLoader("odeflow.report", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def _part(name: str, *values: Any) -> Markup:
    """A piece of a page, by the macro of `parts.html` of that name."""
    return Markup(getattr(_templates().get_template("parts.html").module, name)(*values))


def render(template: str, **values: Any) -> str:
    """A whole page, self-contained: styles and scripts are in it.

    Arguments:
        template: a file of `templates/`.
        values: what it shows; text is escaped, pieces made by this module are not.

    Returns:
        The page as HTML text.
    """
    return _templates().get_template(template).render(values) + "\n"


def heading(text: str) -> Markup:
    """The heading of a section."""
    return _part("heading", text)


def paragraph(text: str) -> Markup:
    """A paragraph of text."""
    return _part("paragraph", text)


def details(summary: str, content: Markup) -> Markup:
    """A part that is folded until a reader opens it."""
    return _part("details", summary, content)


def picture(svg: str, words: str) -> Markup:
    """A vector figure in the page, with the words that stand for it where it is not seen."""
    return _part("picture", base64.b64encode(svg.encode()).decode(), words)


def light(kind: str, words: str) -> Markup:
    """How well something stands: `good`, `doubt`, `bad` or `unknown`, and what that means here."""
    return _part("light", kind, words)


def table(
    header: Sequence[str] | None,
    rows: Iterable[Sequence[str]],
    numbers: frozenset[int] | set[int] = frozenset(),
    name: str = "",
) -> Markup:
    """A table of text; where it has no header, the first column names the rows.

    Arguments:
        header: the columns' names.
        rows: the cells of each row.
        numbers: columns that are aligned as numbers, and broken only at newlines.
        name: what a screen reader calls it; the header's words by default.
    """
    called = name or (f"table: {', '.join(header)}" if header else "table")
    cells = [[str(cell) for cell in row] for row in rows]
    return _part("table", header, cells, sorted(numbers), called)
