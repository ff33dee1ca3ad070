"""The study's own YAML files: read as data, and every mistake names the file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig

from odeflow.config.base import ConfigError

#: Values that a config file may hold, aliases written out.
_MOST_VALUES = 10**6


class StudyFiles(FileConfigSource):
    """Hydra's source of the study's `config/`. Raises ConfigError where a file cannot be read."""

    @staticmethod
    def scheme() -> str:
        """What its paths start with in Hydra's search path."""
        return "study"

    def load_config(self, config_path: str) -> ConfigResult:
        """A file of the study, as Hydra wants it."""
        name = self._normalize_file_name(config_path)
        shown = Path("config") / name
        try:
            text = (Path(self.path) / name).read_text(encoding="utf-8")
            if "&" in text:  # before OmegaConf copies what the aliases share
                refuse_bomb(yaml.safe_load(text), str(shown))
            result = super().load_config(config_path)
        except UnicodeDecodeError:
            raise ConfigError(f"{shown}: not a text file in UTF-8; save it as that") from None
        except RecursionError:
            raise ConfigError(f"{shown}: nested too deeply; a few levels are enough") from None
        except yaml.YAMLError as error:
            raise ConfigError(f"{shown}: {yaml_mistake(error)}") from None
        except OSError as error:
            raise ConfigError(f"{shown}: cannot be read: {one_line(str(error))}") from None
        if not isinstance(result.config, DictConfig):
            raise ConfigError(f"{shown}: expected keys and values, `key: value`")
        return result


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
