"""Links of a page as the site has them.

Pages are written to be read in the repository, too, where a link may lead to any file. On the site
it leads to that file's page, and where there is none the file is named.
"""

import posixpath
import re

from docs.making.repository import OUTSIDE, ROOT

_PLACES = {source: place for place, source in OUTSIDE.items()}
_FENCE = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])+)\]\(([^()\s]+)\)")
#: What follows the language of a block that is compared with what a command prints.
_OPTIONS = re.compile(r"^```(\w+) (?:rtol=\S+|again)$", re.MULTILINE)


def with_site_links(place: str, text: str) -> str:
    """The Markdown of a page with its links as the site has them.

    Arguments:
        place: the page's place in the site.
        text: its Markdown.
    """
    source = OUTSIDE.get(place, f"docs/{place}")
    parts = _FENCE.split(text)
    for index in range(0, len(parts), 2):
        parts[index] = _LINK.sub(lambda found: _link(place, source, *found.groups()), parts[index])
    return _OPTIONS.sub(r"```\1", "".join(parts))


def _link(place: str, source: str, words: str, target: str) -> str:
    file, mark, anchor = target.partition("#")
    if not file or ":" in target:
        return f"[{words}]({target})"
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), file))
    if path in _PLACES:
        there = _PLACES[path]
    elif path.startswith("docs/"):
        there = path.removeprefix("docs/")
    elif (ROOT / path).exists():
        return words if path in words else f"{words} (`{path}`)"
    else:
        return f"[{words}]({target})"
    return f"[{words}]({posixpath.relpath(there, posixpath.dirname(place) or '.')}{mark}{anchor})"
