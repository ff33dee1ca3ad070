"""What Antimony's text is made of: enough to see what it would read, and how long formulas are.

Reference: the lexer of Antimony, `yylex` in antimony.ypp; its keywords may be in capitals.
"""

import re

from odeflow.files.errors import ConfigError
from odeflow.importers.refusal import ModelSource

#: Operations of one formula as text: the parsers that read it are recursive.
MOST_OPERATIONS = 2000
_OPERATIONS = re.compile(r"[-+*/^(,<>=&|!%]")
_TOKEN = re.compile(
    r"""(?P<comment>//[^\r\n]*|/\*.*?(?:\*/|\Z))|(?P<string>"[^"\r\n]*")
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>[0-9]+)|(?P<continued>\\\r?\n)
    |(?P<end>[;\r\n])|(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)


def count_operations(formula: str) -> int:
    """How many operators, parentheses and commas a formula has, at least as deep as its tree."""
    return len(_OPERATIONS.findall(formula))


def checked_antimony(source: ModelSource) -> str:
    """The text without its comments, so that nothing in them can be taken for code.

    Raises ConfigError where it would import a file, since the model is all of what its text says,
    and where a formula is too long.
    """
    text = source.text
    if "```" in text and re.search("import", text, re.IGNORECASE):
        raise _refused_import(source, text.index("```"))  # within which quotes mean nothing
    parts, operations, after_number = [], 0, False
    for token in _TOKEN.finditer(text):
        kind, found = token.lastgroup, token[0]
        if kind == "comment":
            found = " " + "\n" * found.count("\n")
        elif kind == "word" and (found.lower() == "import" or _hides_import(found, after_number)):
            raise _refused_import(source, token.start())
        elif kind == "end":
            operations = 0
        elif kind == "other":
            operations += count_operations(found)
            if operations > MOST_OPERATIONS:
                raise ConfigError(
                    f"{_place(source, token.start())}: a formula of more than "
                    f"{MOST_OPERATIONS:,} operations; divide it into several"
                )
        after_number = kind == "number"
        parts.append(found)
    return "".join(parts)


def _hides_import(word: str, after_number: bool) -> bool:
    """Whether it follows digits that may take some of its letters, as in `1eimport`."""
    return after_number and word.lower().endswith("import")


def _refused_import(source: ModelSource, position: int) -> ConfigError:
    place = _place(source, position)
    return ConfigError(f"{place}: 'import' is refused, put all of the model into one text")


def _place(source: ModelSource, position: int) -> str:
    line = source.text.count("\n", 0, position) + 1
    return f"{source.key}: {source.name}, line {line}"
