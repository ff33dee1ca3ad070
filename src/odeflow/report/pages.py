"""What HTML pages of results share: one look, tables. Self-contained, without scripts."""

import html
import re
from collections.abc import Iterable, Sequence

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #1a1a1a; }
table { border-collapse: collapse; margin: 0.5rem 0 1.5rem; }
th, td { text-align: left; padding: 0.25rem 0.9rem 0.25rem 0; border-bottom: 1px solid #ddd;
         vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: pre; }
pre { background: #f6f6f4; padding: 1rem; overflow-x: auto; font-size: 13px; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
div.wide { overflow-x: auto; }
p.answer { font-weight: 600; margin: 0.6rem 0; }
svg { max-width: 100%; height: auto; }
"""


def page(title: str, body: Iterable[str]) -> str:
    """A whole page; `title` is text, `body` pieces of HTML."""
    words = html.escape(title)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{words}</title>",
            f"<style>{_STYLE}</style></head><body>",
            f"<h1>{words}</h1>",
            *body,
            "</body></html>\n",
        ]
    )


def answer(text: str) -> str:
    """A sentence that a page begins with: what was asked of the experiment, in words."""
    return f'<p class="answer">{html.escape(text)}</p>'


def answers(text: str) -> list[str]:
    """The sentences of a page that `answer` made, as text."""
    return [html.unescape(one) for one in re.findall(r'<p class="answer">(.*?)</p>', text)]


def table(
    header: Sequence[str] | None,
    rows: Iterable[Sequence[str]],
    numbers: frozenset[int] | set[int] = frozenset(),
) -> str:
    """A table of text; the columns in `numbers` are aligned so, and broken only at newlines."""

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=number' if i in numbers else ''}>{html.escape(str(cell))}</{tag}>"
            for i, cell in enumerate(row)
        )

    head = f"<tr>{cells(header, 'th')}</tr>" if header else ""
    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f'<div class="wide"><table>{head}{body}</table></div>'
