"""Every key of the config, with its type, default, units and description, from the JSON schema."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from odeflow.config.root import Config

Schema = dict[str, Any]
_WORDS = {
    "number": "number",
    "integer": "whole number",
    "string": "text",
    "boolean": "`true` or `false`",
    "null": "`null`",
    "array": "list",
    "object": "record",
}
_LIMITS = {
    "exclusiveMinimum": "above",
    "minimum": "at least",
    "exclusiveMaximum": "below",
    "maximum": "at most",
    "multiple_of": "a multiple of",
    "multipleOf": "a multiple of",
}


class Key(NamedTuple):
    """One key: `solver.rtol`; `<name>` stands for names that the user gives."""

    path: str
    kind: str
    default: str
    units: str
    description: str

    @property
    def group(self) -> str:
        """The group that it belongs to."""
        return self.path.split(".")[0]


class Group(NamedTuple):
    """A group of the config, what it is for, and its keys."""

    name: str
    description: str
    keys: list[Key]


def config_groups() -> list[Group]:
    """The groups of the config, in the order of its record; single keys make a group `name`."""
    schema = Config.model_json_schema()
    definitions = schema["$defs"]
    groups = []
    for name, field in schema["properties"].items():
        records = list(_records(field, definitions))
        described = field.get("description") or records[0][1].get("description", "")
        keys = [] if records else [_key(name, field, name in schema["required"], definitions)]
        for _, record in records:
            keys += _keys(name, record, definitions)
        groups.append(Group(name, described, keys))
    return groups


def _keys(prefix: str, record: Schema, definitions: Schema) -> Iterator[Key]:
    """The keys of a record, each followed by those of the records in it."""
    for name, field in record.get("properties", {}).items():
        path = f"{prefix}.{name}"
        yield _key(path, field, name in record.get("required", ()), definitions)
        for inner, below in _records(field, definitions):
            yield from _keys(f"{path}{inner}", below, definitions)


def _records(field: Schema, definitions: Schema) -> Iterator[tuple[str, Schema]]:
    """The records that a key may hold, and what stands before their keys: `.<name>` in a table."""
    if "$ref" in field:
        found = definitions[field["$ref"].rsplit("/", 1)[-1]]
        if "properties" in found:
            yield "", found
        return
    for one in field.get("anyOf", ()):
        yield from _records(one, definitions)
    if field.get("type") == "array" and "items" in field:
        yield from _records(field["items"], definitions)
    if field.get("type") == "object" and isinstance(field.get("additionalProperties"), dict):
        for inner, record in _records(field["additionalProperties"], definitions):
            yield f".<name>{inner}", record


def _key(path: str, field: Schema, needed: bool, definitions: Schema) -> Key:
    default = "needed" if needed else _default(field, definitions)
    return Key(
        path,
        _kind(field, definitions),
        default,
        field.get("units", ""),
        field.get("description") or _as_in_solver(path),
    )


def _as_in_solver(path: str) -> str:
    """Rungs of the retry ladder change keys of `solver`, and records describe themselves."""
    if path.startswith("runtime.retry."):
        key = path.replace("runtime.retry.", "solver.")
        return f"what `{key}` becomes in this attempt; not given: as in the attempt before"
    return ""


def _default(field: Schema, definitions: Schema) -> str:
    if "default" in field:
        value = field["default"]
        return "none" if value in ({}, []) else f"`{_yaml(value)}`"
    kinds = [one.get("type") for one in (field, *field.get("anyOf", ()))]
    return "none" if "object" in kinds or "array" in kinds else "those of its keys"


def _yaml(value: Any) -> str:
    """A value on one line, as a config has it."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(one)}" for key, one in value.items()) + "}"
    return json.dumps(value)


def _kind(field: Schema, definitions: Schema) -> str:
    """What may stand there, in words."""
    if "anyOf" in field:
        kinds = [_kind(one, definitions) for one in field["anyOf"]]
        return ", or ".join(dict.fromkeys(kinds))
    if "$ref" in field:
        found = definitions[field["$ref"].rsplit("/", 1)[-1]]
        return "record" if "properties" in found else _kind(found, definitions)
    if "enum" in field:
        return "one of " + ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    kind = field.get("type", "any value")
    if kind == "array":
        if "prefixItems" in field:
            inside = ", ".join(_kind(one, definitions) for one in field["prefixItems"])
            return f"list of {inside}"
        inside = _kind(field.get("items", {}), definitions)
        return "list" if inside == "any value" else f"list of: {inside}"
    if kind == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"`{{name: ...}}` with for each: {_kind(field['additionalProperties'], definitions)}"
    limits = [f"{word} {field[limit]:g}" for limit, word in _LIMITS.items() if limit in field]
    pattern = ["`x10`, `x1e-3`: a factor"] if "pattern" in field and kind == "string" else []
    return pattern[0] if pattern else " ".join([_WORDS.get(kind, kind), *limits])
