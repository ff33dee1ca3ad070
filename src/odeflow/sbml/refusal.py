"""What the importer says where it cannot go on: which element, on which line, and why."""

from dataclasses import dataclass

from odeflow.config.base import ConfigError


@dataclass(frozen=True)
class Source:
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
        return f"{self.key}: {self.name}" + (f", line {line}" if line else "")


def _line_of(word: str, text: str) -> int:
    for number, line in enumerate(text.splitlines(), 1):
        code = line.split("//", 1)[0]
        if word in "".join(c if c.isalnum() or c == "_" else " " for c in code).split():
            return number
    return 0


class UnsupportedError(ConfigError):
    """The model has something that would be solved wrongly. `what` says which element."""

    def __init__(self, source: Source, what: str, hint: str, line: int = 0, word: str = "") -> None:
        self.what = what
        super().__init__(f"{source.place(line, word)}: {what} is not supported{hint}")
