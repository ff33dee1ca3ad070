"""What all config groups share: strict pydantic records and the types of their numbers."""

import keyword
import math
import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator

from odeflow.files.errors import shown
from odeflow.files.plain_text import one_spelling
from odeflow.problem.names import RESERVED_NAMES


class Strict(BaseModel):
    """A config group: unknown keys are refused, values cannot be changed after validation."""

    # what validates it is built when it is first needed: most groups are a part of `Config` only
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, defer_build=True)


class OneLaw(Strict):
    """A record of laws, each None or its numbers, of which exactly one is set."""

    @property
    def law(self) -> str:
        """Name of the one law that is set."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_law(self) -> "OneLaw":
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(
                f"exactly one law is needed, found {found}; laws: "
                + ", ".join(type(self).model_fields)
            )
        return self


def measured_in(units: str) -> dict[str, Any]:
    """What a key is measured in, for the schema: `Field(json_schema_extra=measured_in("s"))`."""
    return {"units": units}


def increasing_pair(value: tuple[float, float]) -> tuple[float, float]:
    """The pair; raises ValueError unless the first number is less than the second."""
    if not value[0] < value[1]:
        raise ValueError(f"low ({value[0]:g}) must be less than high ({value[1]:g})")
    return value


def _refuse_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("expected a number, not true or false")
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("expected a finite number")
    return value


def _positive(value: float) -> float:
    if not value > 0:
        raise ValueError("expected a number > 0")
    return value


def _natural(value: int) -> int:
    if value < 1:
        raise ValueError("expected a whole number >= 1")
    if value > _MOST:
        raise ValueError(f"expected a whole number up to {_MOST:,}")
    return value


def _function_reference(value: str) -> str:
    if not is_function_reference(value):
        raise ValueError(
            f"{value!r} does not name a function: write module:function (package.module:function) "
            "or a file of the study, models.py:function"
        )
    return value


def _distinct(values: list[Any]) -> list[Any]:
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{value} is named twice")
    return values


LONGEST_NAME = 100
#: Far from where 64 bits end, sums and multiples included.
_MOST = 10**15


def is_function_reference(value: str) -> bool:
    """Whether a text has the form of `module:function`, or `file.py:function`."""
    return re.fullmatch(r"[\w./-]+:[A-Za-z_]\w*", value) is not None


def is_attribute(name: str) -> bool:
    """Whether a name can stand behind a dot in Python, as `y.name` and `args.name` do."""
    known = name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_")
    return known and len(name) <= LONGEST_NAME


def check_variable_name(name: str) -> str:
    """The name as Python spells it, if a state, parameter or observable can have it.

    Else raises ValueError.
    """
    name = one_spelling(name)
    # Python reads identifiers in this normal form, so y.name would miss any other
    python = unicodedata.normalize("NFKC", name)
    if python != name and python.isidentifier():
        raise ValueError(f"{shown(name)} is {python} in Python; write {python}")
    if not is_attribute(name):
        raise ValueError(
            f"{shown(name)} is not a usable name: letters, digits and '_', starting with a "
            f"letter, at most {LONGEST_NAME} of them, not a Python keyword"
        )
    if name in RESERVED_NAMES:
        raise ValueError(f"{name!r} is reserved for the dataset; choose another name")
    return name


def _choice_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", value):
        raise ValueError(f"{value!r} is not a usable name: letters, digits, '_', '.' and '-'")
    return value


Real = Annotated[float, BeforeValidator(_refuse_bool), AfterValidator(_finite)]
PositiveReal = Annotated[Real, AfterValidator(_positive)]
Integer = Annotated[int, BeforeValidator(_refuse_bool)]
Natural = Annotated[Integer, AfterValidator(_natural)]
VariableName = Annotated[str, AfterValidator(check_variable_name)]
#: What a condition or a category is called: one of CF's `flag_meanings`.
ChoiceName = Annotated[str, AfterValidator(_choice_name)]
FunctionReference = Annotated[str, AfterValidator(_function_reference)]
#: For lists of choices, each once.
Distinct = AfterValidator(_distinct)
