"""Digests of plain data, texts and files."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def canonical_json(data: Any) -> str:
    """The one JSON text of plain data: sorted keys, no spaces, exact numbers."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(*parts: Any) -> str:
    """16 hexadecimal digits of SHA-256 over plain data."""
    return hashlib.sha256(canonical_json(list(parts)).encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def text_digest(text: str) -> str:
    """SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def texts_digest(*texts: str | bytes) -> str:
    """SHA-256 of texts one after another, in hexadecimal."""
    found = hashlib.sha256()
    for text in texts:
        found.update(text.encode() if isinstance(text, str) else text)
        found.update(b"\0")
    return found.hexdigest()


class ShownAsDigest(dict[str, Any]):
    """Plain data whose text is a digest.

    Snakemake tells whether a rule's params have changed by their text, stores it and prints it as
    the reason of a job: of a config that is two pages. What is pickled is a plain dictionary.
    """

    def __init__(self, data: Mapping[str, Any], text: str | None = None):
        super().__init__(data)
        self._text = text

    def __repr__(self) -> str:
        """The digest: what Snakemake compares and prints."""
        return self._text or digest(dict(self))

    __str__ = __repr__

    def __reduce__(self) -> tuple[Any, ...]:
        """For a job, which need not know of this class."""
        return dict, (dict(self),)
