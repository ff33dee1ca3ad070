"""What importing a model says where it cannot go on: which element, on which line, and why."""

import re
from dataclasses import dataclass

from odeflow.files.errors import ConfigError


@dataclass(frozen=True)
class ModelSource:
    """Where a model is from: the config's key, a name to show, and the text that lines count in.

    `has_lines` is false for Antimony: libsbml's lines are not those of that text. `is_inline`
    says that the text is the config's own.
    """

    key: str
    name: str
    text: str
    has_lines: bool = True
    is_inline: bool = False

    def place(self, line: int = 0, word: str = "") -> str:
        """`key: name, line n`, the line as given or the first one that has the word."""
        if not self.has_lines:
            line = _line_of(word, self.text) if word else 0
        elif not line and word:
            line = _line_of_element(word, self.text)
        return f"{self.key}: {self.name}" + (f", line {line}" if line else "")


def _line_of_element(identifier: str, text: str) -> int:
    """The line of the element of SBML that has this id, a name in Level 1; 0 where none has."""
    pattern = rf"""\b(?:id|name)\s*=\s*["']{re.escape(identifier)}["']"""
    found = re.search(pattern, text)
    return text.count("\n", 0, found.start()) + 1 if found else 0


def _line_of(word: str, text: str) -> int:
    for number, line in enumerate(text.splitlines(), 1):
        code = line.split("//", 1)[0]
        if word in "".join(c if c.isalnum() or c == "_" else " " for c in code).split():
            return number
    return 0


class UnsupportedError(ConfigError):
    """The model has something that would be solved wrongly. `what` says which element."""

    def __init__(
        self, source: ModelSource, what: str, hint: str, line: int = 0, word: str = ""
    ) -> None:
        self.what = what
        super().__init__(f"{source.place(line, word)}: {what} is not supported{hint}")
