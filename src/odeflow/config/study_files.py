"""The study's own YAML files: read as data, and every mistake names the file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from odeflow.config.yaml_text import read_yaml
from odeflow.files.errors import ConfigError
from odeflow.files.text_files import read_text

#: Values that a config file may hold, aliases written out.
_MOST_VALUES = 10**6


def read_settings(path: Path, where: str) -> dict[str, Any]:
    """What one of Snakemake's configuration files says, as YAML 1.2.

    Raises ConfigError, which calls the file `where`.
    """
    return read_keys_and_values(path, where)[1]


def read_keys_and_values(path: Path, where: str) -> tuple[str, dict[str, Any]]:
    """Text and data of a file of keys and values; raises ConfigError."""
    try:
        text = read_text(path)
    except UnicodeDecodeError:
        raise ConfigError(f"{where}: not text in UTF-8 or UTF-16; save it as that") from None
    except OSError as error:
        raise ConfigError(f"{where}: cannot be read: {one_line(str(error))}") from None
    return text, keys_and_values(text, where)


def keys_and_values(text: str, where: str) -> dict[str, Any]:
    """The data of YAML text that anyone may have written; raises ConfigError."""
    try:
        data = read_yaml(text)
    except RecursionError:
        raise ConfigError(f"{where}: nested too deeply; a few levels are enough") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: {yaml_mistake(error)}") from None
    refuse_bomb(data, where)  # before OmegaConf copies what the aliases share
    if not isinstance(data, Mapping | None):
        raise ConfigError(f"{where}: expected keys and values, `key: value`")
    return dict(data or {})


def refuse_bomb(data: Any, where: str) -> None:
    """Raises ConfigError where data, aliases written out, would fill the memory."""
    pending, number = [data], 0
    while pending:
        value = pending.pop()
        number += 1
        if number > _MOST_VALUES:
            raise ConfigError(
                f"{where}: its aliases stand for more than {_MOST_VALUES:,} values; write out "
                "what is meant"
            )
        if isinstance(value, Mapping):
            pending += value.values()
        elif isinstance(value, list | tuple):
            pending += value


def yaml_mistake(error: yaml.YAMLError) -> str:
    """What is wrong with YAML text, and where, on one line."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    if "'\\t'" in problem:
        problem = "a tab; indent with spaces"
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return place + one_line(problem)


def one_line(text: str) -> str:
    """The text without line breaks."""
    return " ".join(line.strip() for line in text.splitlines() if line.strip())
