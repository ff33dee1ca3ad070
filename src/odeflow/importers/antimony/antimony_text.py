"""Antimony to SBML, by the `antimony` package."""

import re
from typing import Any

import antimony

from odeflow.files.errors import ConfigError
from odeflow.importers.antimony.antimony_tokens import checked_antimony
from odeflow.importers.refusal import ModelSource

#: Characters of a message that are shown: what libsbml finds comes with all of its rules.
_LONGEST = 500


def sbml_of_antimony(source: ModelSource) -> str:
    """SBML of the text's last module, modules within it flattened.

    Raises ConfigError with Antimony's own message and line, and as `checked_antimony`.
    """
    text = checked_antimony(source)
    library: Any = antimony
    library.clearPreviousLoads()
    try:
        if library.loadAntimonyString(text) < 0:
            raise ConfigError(_message(source, library.getLastError()))
        module = library.getMainModuleName()
        sbml = library.getSBMLString(module)
        if not sbml:
            raise ConfigError(_message(source, library.getLastError()))
        return sbml
    finally:
        library.clearPreviousLoads()
        library.freeAll()


def _message(source: ModelSource, error: str) -> str:
    text = " ".join(error.split())
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rsplit(" ", 1)[0] + " ..."
    found = re.match(r"Error in .*?line (\d+):\s*(.*)", text)
    if found:
        return f"{source.key}: {source.name}, line {found[1]}: {found[2]}"
    return f"{source.key}: {source.name}: {text}"
