"""Plain data to a validated `Config`, and one-line messages for what is wrong with it."""

import difflib
import re
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from odeflow.config.root import Config
from odeflow.files.errors import ConfigError, shown

#: Pydantic's words, and those that fit a config.
_WORDS = {
    r", unable to (parse string|interpret input).*": "",
    "Input should be a valid boolean": "expected true or false",
    "Input should be a valid tuple": "expected a list",
    r"(?:Tuple|List) should have at (most|least) (\d+) items? after validation, not (\d+)": (
        r"expected at \1 \2 in the list, not \3"
    ),
    r"Input should be a valid dictionary( or instance of \w+)?": "expected keys and values",
    "Input should be a valid string": "expected text",
    "Input should be a valid integer": "expected an integer",
    "Input should be a valid ": "expected a ",
    "Input should be (?=greater|less)": "expected a number ",
    "Input should be ": "expected ",
}


def validate(data: Mapping[str, Any]) -> Config:
    """The config that plain data holds, all checks of the schema done, `solver: auto` resolved
    where there is nothing to choose.

    Raises ConfigError: one line, the first mistake found and how many more there are.
    """
    _refuse_no_data(data)
    try:
        return Config.model_validate(data).with_one_method()
    except ValidationError as error:
        raise ConfigError(_validation_message(error, data)) from None


def _refuse_no_data(data: Any, path: str = "") -> None:
    """Raises ConfigError for what would make Hydra run something, and for a value not given."""
    if data == "???":
        raise ConfigError(f"{path.removesuffix('.')}: needed but not given")
    if isinstance(data, Mapping):
        for key, value in data.items():
            if str(key) in {"_target_", "_partial_", "_recursive_", "_convert_", "_args_"}:
                raise ConfigError(
                    f"{path}{key}: refused, a config holds names and numbers; "
                    "methods are chosen by solver.method, functions by model.vector_field"
                )
            _refuse_no_data(value, f"{path}{key}.")
    elif isinstance(data, list):
        for index, value in enumerate(data):
            _refuse_no_data(value, f"{path}{index}.")


def _validation_message(error: ValidationError, data: Mapping[str, Any]) -> str:
    errors = [(_key_path(one["loc"], data), one) for one in error.errors(include_url=False)]
    # Of the ways to write a value, the one that was taken has its mistakes further in.
    paths = [path for path, _ in errors]
    inner = [e for e in errors if not any(path.startswith(f"{e[0]}.") for path in paths)]
    location, first = inner[0]
    others = {path for path, _ in inner} - {location}
    text = first["msg"].removeprefix("Value error, ")
    for pydantics, ours in _WORDS.items():
        text = re.sub(pydantics, ours, text)
    if first["type"] == "extra_forbidden":
        message = f"{location}: no such key{nearest_key(location)}"
    elif first["type"] == "missing" and isinstance(first["loc"][-1], int):
        message = f"{location}: the list is too short{_shown(first)}"
    elif first["type"] == "missing":
        message = f"{location}: needed but not given"
    elif text.startswith(location.split(".", 1)[0] + "."):
        message = text  # a check across keys, which names its key itself
    else:
        message = f"{location or 'config'}: {text}{_shown(first)}"
    return message + (f" (and {len(others)} more)" if others else "")


def _key_path(location: tuple[int | str, ...], data: Any) -> str:
    """The parts of pydantic's location that are keys of the data, not names of union members."""
    parts = []
    for part in location:
        in_list = isinstance(data, list) and isinstance(part, int) and part < len(data)
        if in_list or (isinstance(data, Mapping) and part in data):
            data = data[part]  # pyright: ignore[reportArgumentType, reportCallIssue]
        elif part != location[-1] or not _looks_like_key(part):
            continue
        parts.append(str(part))
    return ".".join(parts)


def _looks_like_key(part: int | str) -> bool:
    return isinstance(part, str) and part.isidentifier() and part[0].islower()


def _shown(detail: Mapping[str, Any]) -> str:
    value = detail.get("input")
    if isinstance(value, Mapping) or (isinstance(value, list) and len(value) > 4):
        return ""
    meant = value.strip().replace(",", ".", 1) if isinstance(value, str) else ""
    is_number = detail["type"] == "float_parsing" and re.fullmatch(r"[-+]?\d+\.\d+", meant)
    return f" (got {shown(value)}{f'; write {meant}' if is_number else ''})"


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint: the nearest of the known names, and all of them."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{hint} known: {', '.join(known) or 'none'}" if hint else f"; known: {', '.join(known)}"


def nearest_key(path: str) -> str:
    """The schema's keys beside the last part of a dotted key."""
    *parents, last = path.split(".")
    inside: Any = Config
    for parent in parents:
        if parent.isdecimal():  # the place in a list of records
            continue
        record, given = record_of(inside), get_args(inside)
        if record is None:
            inside = given[1] if get_origin(inside) is dict else None
            continue
        field = record.model_fields.get(parent)
        inside = None if field is None else field.annotation
    record = record_of(inside)
    if record is None:
        return ""
    return nearest(last, [field.alias or key for key, field in record.model_fields.items()])


def record_of(annotation: Any) -> type[BaseModel] | None:
    """The record that a key holds, be it optional or a list of them; None for anything else."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Annotated, list, Union, UnionType):
        return next(filter(None, map(record_of, get_args(annotation))), None)
    return None
