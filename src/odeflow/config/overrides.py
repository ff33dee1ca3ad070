"""Overrides in Hydra's grammar: made of what Snakemake parsed, read, and told apart."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from odeflow.config.shipped import shipped_config
from odeflow.config.study_files import one_line, refuse_bomb
from odeflow.files.errors import ConfigError, shown
from odeflow.files.plain_text import one_spelling

#: Characters a shell may act on when a job gets the command line back.
_SHELL_CHARACTERS = re.compile(r"[\"'`$\\;&|<>\r\n\0]")


def flatten_overrides(settings: Mapping[str, Any], where: str = "--config") -> list[str]:
    """What Snakemake parsed from `--config` or a file, as a list of Hydra overrides.

    `solver__rtol=1e-8` stands for `solver.rtol=1e-8`; the value of `overrides` is text (or a
    list) of overrides in Hydra's own grammar, separated by spaces. `~key` takes a key away.
    """
    refuse_bomb(settings, where)
    overrides = []
    for key, value in settings.items():
        if key == "overrides":
            if not isinstance(value, str | list | tuple | NoneType):
                raise ConfigError(
                    f"overrides: expected text or a list of texts (got {shown(value)})"
                )
            items = value.split() if isinstance(value, str) else (value or [])
            overrides += [str(item) for item in items]
        elif str(key).startswith("~") and value is None:
            overrides.append(str(key).replace("__", "."))
        else:
            overrides.append(f"{str(key).replace('__', '.')}={_hydra_text(value)}")
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


def parse_override(override: str) -> Override:
    """An override as Hydra reads it; raises ConfigError where it is none or unfit for a shell."""
    override = one_spelling(override)
    found = _SHELL_CHARACTERS.search(override)
    if found:
        raise ConfigError(
            f"override {shown(override)}: the character {found.group()!r} is refused, since "
            "a job may pass it through a shell; put such values into a config file"
        )
    try:
        parsed = OverridesParser.create().parse_override(override)
    except (HydraException, RecursionError) as error:
        reason = one_line(str(error).split("\nSee https", 1)[0])
        advice = "write key=value"
        if not override.isascii():
            advice += "; Hydra reads no letters beyond a to z there, a config file may have them"
        raise ConfigError(f"override {shown(override)}: {reason[:120]}; {advice}") from None
    if parsed.is_sweep_override():
        raise ConfigError(
            f"override {shown(override)}: one value is needed; a number has a decimal point, a "
            "list is written [a,b], and what varies is an axis of the design"
        )
    return parsed


def group_names(study: Path) -> set[str]:
    """The groups there are: folders of the shipped config and of the study."""
    folders = (shipped_config(), (study / "config").resolve())
    return {path.name for base in folders for path in base.glob("*/")}
