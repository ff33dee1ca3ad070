"""Where settings come from, and which of them wins: the later source, whatever its spelling.

The order is: what ships, the study's `config/workflow.yaml`, each `--configfile`, `--config`.
Within a source groups come before keys and records before what is in them, so that the order in
which it names things says nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override

from odeflow.config.overrides import flatten_overrides, group_names, parse_override
from odeflow.config.shipped import shipped_config
from odeflow.files.errors import ConfigError, shown

#: The workflow's own settings, which are not overrides.
_LISTS = ("compare", "resolvers")
#: Of a group whose files are named after a value in them, that key.
_NAMING_KEYS = {"solver": "solver.method", "design": "design.kind"}


@dataclass(frozen=True)
class SettingsSource:
    """What one place asks for; `name` is how messages call it."""

    name: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """What all sources together ask for.

    `experiments` are names of files of the group; None is the config's default, or none where
    `overrides` say so. `replaced` has a line for each value that a later choice of a group took
    back.
    """

    experiments: list[str | None]
    overrides: list[str]
    compare: list[str] = field(default_factory=list)
    resolvers: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)


def names_in(settings: Mapping[str, Any], key: str) -> list[str]:
    """The names that a setting lists: `experiment=a,b` or a list of names.

    Raises ConfigError where it is neither.
    """
    asked = settings.get(key) or ""
    if not isinstance(asked, str | list):
        quoted = "" if isinstance(asked, bool) else f'; in a file, a name is quoted: "{asked}"'
        raise ConfigError(f"{key}: expected a name or a list of names (got {asked!r}){quoted}")
    names = asked.split(",") if isinstance(asked, str) else [str(name) for name in asked]
    return [name.strip() for name in names if name.strip()]


def settle(sources: Sequence[SettingsSource], study: Path) -> Request:
    """What is asked for, each source put over the ones before it.

    A group that a later source chooses replaces all that earlier ones set in it. Raises ConfigError
    where a source contradicts itself, or asks for what cannot be read.
    """
    groups = group_names(study)
    choices: dict[str, str] = {}
    keys: list[tuple[Override, str]] = []
    experiments: list[str | None] = [None]
    lists: dict[str, list[str]] = {}
    replaced: list[str] = []
    for source in sources:
        lists |= {key: names_in(source.settings, key) for key in _LISTS if key in source.settings}
        ours = {"experiment", *_LISTS}
        others = {key: value for key, value in source.settings.items() if key not in ours}
        parsed = [parse_override(text) for text in flatten_overrides(others, source.name)]
        _refuse_contradictions(parsed, source.name, groups)
        chosen = {one.key_or_group: one for one in parsed if one.key_or_group in groups}
        _refuse_two_experiments(source, chosen.get("experiment"))
        if "experiment" in source.settings:
            experiments = [*names_in(source.settings, "experiment")] or [None]
            choices.pop("experiment", None)
        elif "experiment" in chosen:
            experiments = [None]
        for group, choice in chosen.items():
            text = choice.input_line or ""
            # `+` is for a group that the defaults lack; those that ship are all there
            choices[group] = text.lstrip("+") if (shipped_config() / group).is_dir() else text
            lost = [(one, by) for one, by in keys if one.key_or_group.startswith(f"{group}.")]
            keys = [pair for pair in keys if pair[0].key_or_group.split(".")[0] != group]
            replaced += [f"{one.input_line} ({by}) by {text} ({source.name})" for one, by in lost]
        own = [one for one in parsed if one.key_or_group not in groups]
        own.sort(key=lambda one: one.key_or_group.count("."))
        deleted = {one.key_or_group for one in own if one.is_delete()}
        keys = [
            (one, by) for one, by in keys if not (one.is_delete() and one.key_or_group in deleted)
        ]
        keys += [(one, source.name) for one in own]
    overrides = [*choices.values(), *(one.input_line or "" for one, _ in keys)]
    return Request(experiments, overrides, replaced=replaced, **lists)


def _refuse_two_experiments(source: SettingsSource, override: Override | None) -> None:
    """Raises ConfigError where `experiment` and `overrides` of a source name different ones."""
    if override is None or "experiment" not in source.settings:
        return
    asked = names_in(source.settings, "experiment")
    if asked and (override.is_delete() or asked != [str(override.value())]):
        raise _contradiction(source.name, f"experiment={','.join(asked)}", override)


def _refuse_contradictions(overrides: Sequence[Override], name: str, groups: set[str]) -> None:
    """Raises ConfigError where two overrides of a source cannot both hold."""
    by_key: dict[str, Override] = {}
    for one in overrides:
        key = one.key_or_group
        before = by_key.setdefault(key, one)
        if (before.is_delete(), before.value()) != (one.is_delete(), one.value()):
            raise _contradiction(name, before.input_line or "", one)
    for key, one in by_key.items():
        parts = key.split(".")
        for depth in range(1, len(parts)):
            outer = by_key.get(".".join(parts[:depth]))
            if outer is None or outer.key_or_group in groups:
                continue
            if outer.is_delete() or _differs(outer.value(), parts[depth:], one):
                raise _contradiction(name, outer.input_line or "", one)
    for group, key in _NAMING_KEYS.items():
        choice, value = by_key.get(group), by_key.get(key)
        if choice and value and (choice.is_delete() or choice.value() != value.value()):
            raise _contradiction(name, choice.input_line or "", value)


def _differs(record: Any, path: Sequence[str], override: Override) -> bool:
    """Whether a record says something else than an override of a key within it."""
    for part in path:
        if not isinstance(record, Mapping):
            return True
        if part not in record:
            return override.is_delete()
        record = record[part]
    return override.is_delete() or record != override.value()


def _contradiction(name: str, before: str, override: Override) -> ConfigError:
    return ConfigError(
        f"{name} contradicts itself: {shown(before)} and {shown(override.input_line or '')}; "
        "keep one of them"
    )
