"""Hydra composition: overrides in, validated `Config` out. No JAX, no `_target_`."""

import re
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from odeflow.config.base import ConfigError
from odeflow.config.check import check
from odeflow.config.root import Config
from odeflow.config.shipped import shipped_config
from odeflow.config.validate import nearest, validate

#: Characters a shell may act on when a job gets the command line back.
_SHELL_CHARACTERS = re.compile(r"[\"'`$\\]")


class _StudySearchPath(SearchPathPlugin):
    """Puts the study's own `config/` before the one shipped here."""

    study_config: Path | None = None

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        if _StudySearchPath.study_config is not None:
            search_path.prepend("study", f"file://{_StudySearchPath.study_config}")


def flatten_overrides(settings: Mapping[str, Any]) -> list[str]:
    """What Snakemake parsed from `--config`, as a list of Hydra overrides.

    `solver__rtol=1e-8` stands for `solver.rtol=1e-8`; the value of `overrides` is text (or a
    list) of overrides in Hydra's own grammar, separated by spaces.
    """
    overrides = []
    for key, value in settings.items():
        if key == "overrides":
            items = value.split() if isinstance(value, str) else (value or [])
            overrides += [str(item) for item in items]
        else:
            overrides.append(f"{key.replace('__', '.')}={_hydra_text(value)}")
    return overrides


def _hydra_text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_hydra_text, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{k}:{_hydra_text(v)}" for k, v in value.items()) + "}"
    return str(value)


def compose(*overrides: str, study: Path | str = ".") -> Config:
    """The validated config of one experiment.

    `overrides` are in Hydra's grammar, such as `"experiment=robertson", "solver.rtol=1e-8"`;
    `study` is the folder whose `config/` is searched before the shipped one, and whose model
    files and tables are meant by relative names.

    Raises ConfigError, one line that names the key, the value and what is allowed.
    """
    for override in overrides:
        found = _SHELL_CHARACTERS.search(override)
        if found:
            raise ConfigError(
                f"override {override!r}: the character {found.group()} is refused, since a job "
                "may pass it through a shell; put such values into a config file"
            )
    config = validate(_compose_data(overrides, Path(study))).in_study(Path(study))
    check(config, Path(study))
    return config


def _compose_data(overrides: Iterable[str], study: Path) -> dict[str, Any]:
    shipped = shipped_config()
    study_config = (study / "config").resolve()
    groups = {path.name for base in (shipped, study_config) for path in base.glob("*/")}
    parsed = [_parse(override) for override in overrides]
    choices = [one.input_line or "" for one in parsed if one.key_or_group in groups]
    with _search_path(study_config if study_config.is_dir() else None):
        GlobalHydra.instance().clear()
        try:
            with hydra.initialize_config_dir(str(shipped), version_base="1.3"):
                composed = hydra.compose("config", choices)
            for one in parsed:
                if one.key_or_group not in groups:
                    _apply(one, composed)
            data = OmegaConf.to_container(composed, resolve=True)
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(_hydra_message(error, shipped, study_config)) from None
        except yaml.YAMLError as error:
            raise ConfigError(_one_line(str(error))) from None
        except ValueError as error:  # a group's choice that is no name, such as null
            raise ConfigError(
                f"{_one_line(str(error))} (to do without an experiment: ~experiment)"
            ) from None
    assert isinstance(data, dict)
    return {str(key): value for key, value in data.items()}


def _parse(override: str) -> Override:
    try:
        parsed = OverridesParser.create().parse_override(override)
    except HydraException as error:
        raise ConfigError(f"override {override!r}: {_one_line(str(error))}") from None
    if parsed.is_sweep_override():
        raise ConfigError(
            f"override {override!r}: one value is needed; a list is written [a,b], and what "
            "varies is an axis of the design"
        )
    return parsed


def _apply(override: Override, composed: DictConfig) -> None:
    """Sets one value. A record replaces what was there: an axis has one law, not two merged.

    A key that does not exist is added, and then refused by the schema, which knows the nearest.
    """
    key = override.key_or_group
    OmegaConf.set_struct(composed, False)
    if override.is_delete():
        parent, _, last = key.rpartition(".")
        container = OmegaConf.select(composed, parent) if parent else composed
        if container is None or last not in container:
            raise ConfigError(f"override {override.input_line!r}: there is no {key} to delete")
        del container[last]
        return
    OmegaConf.update(composed, key, override.value(), merge=False, force_add=True)


@contextmanager
def _search_path(study_config: Path | None):
    plugins = Plugins.instance()
    if _StudySearchPath not in plugins.discover(SearchPathPlugin):
        plugins.register(_StudySearchPath)
    _StudySearchPath.study_config = study_config
    try:
        yield
    finally:
        _StudySearchPath.study_config = None


def _one_line(text: str) -> str:
    return " ".join(line.strip() for line in text.splitlines() if line.strip())


def _hydra_message(error: Exception, *folders: Path) -> str:
    """Hydra's message on one line, with the nearest name that exists."""
    text = str(error)
    missing = re.search(r"Could not find '([\w-]+)/([^']+)'", text)
    if missing:
        group, name = missing.groups()
        known = sorted(
            {
                path.stem
                for folder in folders
                for path in (folder / group).glob("*.yaml")
                if path.stem != "base"
            }
        )
        return f"{group}={name}: no such {group}{nearest(name, known)}"
    return _one_line(text)
