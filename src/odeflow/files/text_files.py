"""Text of a user's files: UTF-8, or UTF-16 as spreadsheets save it."""

import codecs
from pathlib import Path


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 where it begins with a byte order mark.

    Raises OSError where it cannot be read, UnicodeDecodeError where it is not such text.
    """
    data = path.read_bytes()
    marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return data.decode("utf-16" if data.startswith(marks) else "utf-8-sig")
