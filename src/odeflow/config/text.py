"""Words of the user's (titles, units, names of things): text that is printed and drawn as it is."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator

#: Format characters that turn the direction of what follows: text would read as another.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _is_hidden(character: str) -> bool:
    """Whether a terminal would obey it, no file can hold it, or it hides what the text says."""
    if character in "\n\t":
        return False
    return unicodedata.category(character) in {"Cc", "Cs"} or character in _TURNING


def escaped(text: str) -> str:
    """The text with escapes in place of characters that a terminal would obey."""
    return "".join(c.encode("unicode_escape").decode() if _is_hidden(c) else c for c in text)


def without_hidden(text: str) -> str:
    """The text without such characters: for words out of files that others wrote."""
    return "".join(c for c in text if not _is_hidden(c))


def _plain(text: str) -> str:
    hidden = next((c for c in text if _is_hidden(c)), None)
    if hidden is not None:
        raise ValueError(
            f"it has the control character {hidden!r}, which is obeyed and not printed; remove it"
        )
    return text


#: Text for figures, pages and the dataset.
Text = Annotated[str, AfterValidator(_plain)]
