"""Antimony to SBML, by the `antimony` package."""

import re
from typing import Any

import antimony

from odeflow.config.base import ConfigError
from odeflow.sbml.refusal import Source

#: Characters of a message that are shown: what libsbml finds comes with all of its rules.
_LONGEST = 500


def sbml_of_antimony(source: Source) -> str:
    """SBML of the text's last module, modules within it flattened.

    Raises ConfigError with Antimony's own message and line. A file that the text would import is
    refused: the model is all of what its text says.
    """
    for number, line in enumerate(source.text.splitlines(), 1):
        if re.match(r"\s*import\b", line):
            raise ConfigError(
                f"{source.key}: {source.name}, line {number}: 'import' is refused, put all of the "
                "model into one text"
            )
    library: Any = antimony
    library.clearPreviousLoads()
    try:
        if library.loadAntimonyString(source.text) < 0:
            raise ConfigError(_message(source, library.getLastError()))
        module = library.getMainModuleName()
        text = library.getSBMLString(module)
        if not text:
            raise ConfigError(_message(source, library.getLastError()))
        return text
    finally:
        library.clearPreviousLoads()
        library.freeAll()


def _message(source: Source, error: str) -> str:
    text = " ".join(error.split())
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rsplit(" ", 1)[0] + " ..."
    found = re.match(r"Error in .*?line (\d+):\s*(.*)", text)
    if found:
        return f"{source.key}: {source.name}, line {found[1]}: {found[2]}"
    return f"{source.key}: {source.name}: {text}"
