"""States with complex numbers: two states each, of its real and of its imaginary part."""

from collections.abc import Iterable, Mapping
from typing import Any

from odeflow.config.base import is_function_reference

#: What stands behind a name, and what it is called in words.
PARTS = {"real": "real part", "imag": "imaginary part"}


def part_names(name: str) -> tuple[str, str]:
    """Names of the two states that stand for a complex one."""
    real, imag = (f"{name}_{part}" for part in PARTS)
    return real, imag


def own_states(states: Iterable[str], complex_states: Iterable[str]) -> list[str]:
    """Names of states as the model has them, where a complex one is one."""
    whole = {part: name for name in complex_states for part in part_names(name)}
    return list(dict.fromkeys(whole.get(name, name) for name in states))


def with_parts(model: Any) -> Any:
    """The `model` group with two states in place of each that is `dtype: complex`.

    Raises ValueError where a name is taken, or an initial value is no complex number.
    """
    states = model.get("states") if isinstance(model, Mapping) else None
    if not isinstance(states, Mapping) or not any(map(_is_complex, states.values())):
        return model
    found: dict[Any, Any] = {}
    for name, record in states.items():
        if not _is_complex(record):
            found[name] = record
            continue
        for part, initial in zip(PARTS, _initial(name, record)):
            words = f"{PARTS[part]} of {record.get('long_name') or name}"
            rest = {key: value for key, value in record.items() if key != "dtype"}
            own = f"{name}_{part}"
            if own in states:
                raise ValueError(f"states: {own} is a part of the complex {name}; rename one")
            found[own] = {**rest, "initial": initial, "long_name": words}
    made = [name for name, record in states.items() if _is_complex(record)]
    return {
        **model,
        "states": found,
        "complex_states": [*(model.get("complex_states") or ()), *made],
    }


def _is_complex(record: Any) -> bool:
    return isinstance(record, Mapping) and record.get("dtype") == "complex"


def _initial(name: str, record: Mapping[str, Any]) -> tuple[Any, Any]:
    """What the two states begin with."""
    initial, dims = record.get("initial"), record.get("dims") or ()
    if isinstance(initial, str) and is_function_reference(initial):
        initial = {"function": initial}
    if isinstance(initial, Mapping) and "function" in initial:
        real, imag = ({**initial, "part": part} for part in PARTS)
        return real, imag
    if isinstance(initial, Mapping) and "value" in initial:
        value = _number(name, initial["value"])
        return {**initial, "value": value.real}, {**initial, "value": value.imag}
    return _split(name, initial, len(dims))


def _split(name: str, value: Any, depth: int) -> tuple[Any, Any]:
    if depth and isinstance(value, list):
        pairs = [_split(name, one, depth - 1) for one in value]
        return [real for real, _ in pairs], [imag for _, imag in pairs]
    is_pair = not depth and isinstance(value, list) and len(value) == 2
    if is_pair and all(isinstance(part, int | float) for part in value):
        return value[0], value[1]
    number = _number(name, value)
    return number.real, number.imag


def _number(name: str, value: Any) -> complex:
    try:
        if isinstance(value, str):
            return complex(value.replace(" ", "").replace("i", "j"))
        if isinstance(value, int | float) and not isinstance(value, bool):
            return complex(value)
    except ValueError:
        pass
    raise ValueError(
        f'states.{name}.initial: {value!r} is no complex number; write "1+2j", or [1, 2] for its '
        "real and imaginary part"
    )
