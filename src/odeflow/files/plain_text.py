"""Characters that a terminal would obey, that hide what a text says, or that look alike."""

import unicodedata

#: Format characters that turn the direction of what follows: text would read as another.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_hidden(character: str) -> bool:
    """Whether a terminal would obey it, no file can hold it, or it hides what the text says."""
    if character in "\n\t":
        return False
    return unicodedata.category(character) in {"Cc", "Cs"} or character in _TURNING


def escaped(text: str) -> str:
    """The text with escapes in place of characters that a terminal would obey."""
    return "".join(c.encode("unicode_escape").decode() if is_hidden(c) else c for c in text)


def without_hidden(text: str) -> str:
    """The text without such characters: for words out of files that others wrote."""
    return "".join(c for c in text if not is_hidden(c))


def one_spelling(text: str) -> str:
    """The text with one character where Unicode has two that look alike.

    Python reads the micro sign in a name as the Greek letter, so here it is that letter too; the
    signs of ohm, kelvin and angstrom are letters as well.
    """
    return unicodedata.normalize("NFC", text).replace("\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}")
