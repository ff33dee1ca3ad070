"""The user's text in a figure: between dollars it is mathematics, where it can be read as that.

Matplotlib draws `$\\mu$` as a letter and ends with an error for `$\\frac{1$` and unknown TeX: after
everything was solved. Such text is drawn as it stands.
"""

import re
import textwrap
from collections.abc import Iterator
from functools import cache

from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.cbook import is_math_text
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text

#: Longer lines are drawn as they stand: reading braces in braces takes time beyond all bounds.
_LONGEST = 300
#: Numbers as Matplotlib and `ticks.py` write them at ticks: to read them takes as long as to draw.
_NUMBER = re.compile(
    r"\$(\\mathdefault\{[-\u2212]?[\d.]+\}|[-\u2212]?([\d.]+\\times)?10\^\{[-\u2212]?\d+\})\$"
)
_MATH = re.compile(r"\$(?:\\.|[^$\\])*\$")
#: Stands for a blank that no line may end at.
_BLANK = "\N{NO-BREAK SPACE}"


def escape_what_is_no_math(figure: Figure) -> None:
    """Has all text of a figure drawn as it stands that cannot be read as mathematics."""
    for text in _texts(figure):
        if not is_readable(text.get_text()):
            text.set_parse_math(False)


def _texts(artist: Artist) -> Iterator[Text]:
    """All text in an artist. Of an axis, that at ticks that there are: a search by Matplotlib has
    it make all it will have, each time, which takes a fifth as long as all of the drawing.
    """
    if isinstance(artist, Text):
        yield artist
    if isinstance(artist, Axis):
        inner = [artist.label, artist.offsetText, *artist.majorTicks, *artist.minorTicks]
    else:
        inner = artist.get_children()
    for one in inner:
        yield from _texts(one)


def is_readable(text: str) -> bool:
    """Whether Matplotlib can draw each line of a text, mathematics between dollars."""
    return all(map(_is_readable, text.split("\n")))


@cache
def _is_readable(line: str) -> bool:
    if not is_math_text(line) or _NUMBER.fullmatch(line):
        return True
    if len(line) > _LONGEST:
        return False
    try:
        MathTextParser("path").parse(line)
    except (ValueError, RecursionError):
        return False
    return True


def wrapped(text: str, width: int) -> str:
    """The text on lines of at most this many characters; a piece of mathematics stays on one."""
    whole = is_math_text(text)
    if whole:
        text = _MATH.sub(lambda found: found.group().replace(" ", _BLANK), text)
    lines = textwrap.wrap(text, width, break_long_words=not whole, break_on_hyphens=not whole)
    return "\n".join(lines).replace(_BLANK, " ")
