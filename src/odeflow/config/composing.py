"""Hydra composition: overrides in, plain data out. No JAX, no `_target_`."""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf
from omegaconf.basecontainer import BaseContainer
from omegaconf.errors import OmegaConfBaseException

from odeflow.config.design import KINDS_WITH
from odeflow.config.overrides import group_names, parse_override
from odeflow.config.shipped import shipped_config
from odeflow.config.study_files import one_line, yaml_mistake
from odeflow.config.study_source import StudyFiles
from odeflow.config.validate import nearest
from odeflow.files.errors import ConfigError, shown

#: A choice of a group: a file in its folder, or in one below.
_PART = r"\w[\w-]*(\.[\w-]+)*"
_CHOICE = re.compile(rf"(?=.{{1,100}}$){_PART}(/{_PART})*")


class _StudySearchPath(SearchPathPlugin):
    """Puts the study's own `config/` before the one shipped here."""

    study_config: Path | None = None

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        if _StudySearchPath.study_config is not None:
            search_path.prepend("study", f"{StudyFiles.scheme()}://{_StudySearchPath.study_config}")


def composed_data(
    overrides: Iterable[str], study: Path, resolvers: Collection[str]
) -> dict[str, Any]:
    """The groups of a config as plain data, neither filled from a model's file nor validated.

    Arguments are those of `compose`. Raises ConfigError, one line, for what Hydra cannot compose.
    """
    shipped = shipped_config()
    study_config = (study / "config").resolve()
    groups = group_names(study)
    parsed = [parse_override(override) for override in overrides]
    choices = [_choice(one, shipped, study_config) for one in parsed if one.key_or_group in groups]
    with _search_path(study_config if study_config.is_dir() else None):
        GlobalHydra.instance().clear()
        try:
            with (
                hydra.initialize_config_dir(str(shipped), version_base="1.3"),
                _only_resolvers(resolvers),
            ):
                composed = hydra.compose("config", choices)
                for one in parsed:
                    if one.key_or_group not in groups:
                        _apply(one, composed)
                _leave_out_what_design_has_not(parsed, composed)
                data = OmegaConf.to_container(composed, resolve=True)
        except ConfigError:
            raise
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(_hydra_message(error, shipped, study_config)) from None
        except yaml.YAMLError as error:
            raise ConfigError(yaml_mistake(error)) from None
        except (ValueError, TypeError, AttributeError) as error:  # Hydra's, for odd defaults lists
            raise ConfigError(f"{one_line(str(error))} (while composing the defaults)") from None
    assert isinstance(data, dict)
    return {str(key): value for key, value in data.items()}


def _choice(override: Override, *folders: Path) -> str:
    """The override of a group; raises ConfigError where it is not the name of a choice."""
    name, group = override.value(), override.key_or_group
    if isinstance(name, int | float) and not isinstance(name, bool):  # v1.2 is text, 1.2 is not
        name = (override.input_line or "").partition("=")[2].strip()
    if not override.is_delete() and not (isinstance(name, str) and _CHOICE.fullmatch(name)):
        hint = "; to do without: ~experiment" if group == "experiment" else ""
        raise ConfigError(
            f"override {shown(override.input_line or '')}: {group} is chosen by the name of a "
            f"file in config/{group}/{nearest('', _choices(group, folders))}{hint}"
        )
    for folder in folders:
        if (folder / group / f"{name}.yaml").is_dir():
            raise ConfigError(f"config/{group}/{name}.yaml: a folder; a file belongs there")
    if override.is_delete():
        return override.input_line or ""
    return f"{(override.input_line or '').partition('=')[0]}='{name}'"


def _choices(group: str, folders: Iterable[Path]) -> list[str]:
    """Names of the files of a group, those meant for its other files excepted."""
    files = (path for folder in folders for path in (folder / group).glob("*.yaml"))
    return sorted({path.stem for path in files if path.is_file() and path.stem != "base"})


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


def _leave_out_what_design_has_not(parsed: Iterable[Override], composed: DictConfig) -> None:
    """Where `design=...` chose another kind, what the experiment gave for the former one goes.

    What is set beside it stays, and is refused where it does not fit.
    """
    keys = {one.key_or_group for one in parsed}
    design = composed.get("design")
    if "design" not in keys or not isinstance(design, DictConfig):
        return
    set_here = {key.split(".")[1] for key in keys if key.startswith("design.")}
    OmegaConf.set_struct(composed, False)
    for key, kinds in KINDS_WITH.items():
        if key in design and key not in set_here and design.get("kind") not in kinds:
            del design[key]


@contextmanager
def _only_resolvers(names: Collection[str]) -> Iterator[None]:
    """Takes away OmegaConf's resolvers, those named excepted: a config must not read or run."""
    known = BaseContainer._resolvers
    for name in names:
        if name not in known:
            raise ConfigError(f"resolvers: {name!r}: no such resolver{nearest(name, known)}")
    BaseContainer._resolvers = {name: known[name] for name in names}
    try:
        yield
    finally:
        BaseContainer._resolvers = known


@contextmanager
def _search_path(study_config: Path | None) -> Iterator[None]:
    plugins = Plugins.instance()
    if _StudySearchPath not in plugins.discover(SearchPathPlugin):
        plugins.register(_StudySearchPath)
        plugins.register(StudyFiles)
    _StudySearchPath.study_config = study_config
    try:
        yield
    finally:
        _StudySearchPath.study_config = None


def _hydra_message(error: Exception, *folders: Path) -> str:
    """Hydra's message on one line, with the nearest name that exists."""
    text = str(error) if str(error).strip() else str(error.__cause__ or type(error).__name__)
    missing = re.search(r"Could not find '([\w-]+)/([^']+)'", text)
    if missing:
        group, name = missing.groups()
        if any((folder / group / f"{name}.yaml").is_dir() for folder in folders):
            return f"config/{group}/{name}.yaml: a folder; a file belongs there"
        return f"{group}={name}: no such {group}{nearest(name, _choices(group, folders))}"
    resolver = re.search(r"Unsupported interpolation type (\S+)(?:\s+full_key: (\S+))?", text)
    if resolver:
        name, key = resolver.groups()
        return (
            f"{key or 'config'}: the resolver ${{{name}:...}} is refused, a config is data; write "
            f"the value, or allow it by `resolvers: [{name}]` in the study's config/workflow.yaml"
        )
    key = re.search(r"full_key: (\S+)", text)
    text = re.sub(r"\s+(full_key|object_type)[:=].*|\w+ raised while composing config:", "", text)
    text = text.replace("DictConfig", "keys and values").replace("ListConfig", "a list")
    return f"{key.group(1)}: {one_line(text)}" if key else one_line(text) or type(error).__name__
