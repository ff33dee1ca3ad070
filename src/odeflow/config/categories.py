"""What is given for each category of an axis: courses of inputs, array parameters."""

from collections.abc import Collection, Mapping
from typing import Protocol, runtime_checkable


@runtime_checkable
class Given(Protocol):
    """What may be given for each category: `by` is the axis, if there is one."""

    @property
    def by(self) -> str | None:  # noqa: D102
        ...

    @property
    def categories(self) -> list[str]:  # noqa: D102
        ...


def categories(records: Mapping[str, Given]) -> dict[str, list[str]]:
    """The categories of records, by the axis that chooses among them."""
    return {one.by: one.categories for one in records.values() if one.by is not None}


def check_given(groups: Mapping[str, Mapping[str, Given]], taken: Collection[str]) -> None:
    """Raises ValueError for a name that is taken, and for categories that do not go together."""
    every = {name: one for records in groups.values() for name, one in records.items()}
    known = categories(every)
    names = {*taken}
    for group, records in groups.items():
        for name, one in records.items():
            if name in names:
                raise ValueError(f"{group}: {name!r} is something else in the model too; rename it")
            names.add(name)
            if one.by is None:
                continue
            key = f"{group}.{name}"
            if one.by in taken or one.by in every:
                raise ValueError(f"{key}.by: {one.by!r} is something else in the model; rename it")
            if set(one.categories) != set(known[one.by]):
                raise ValueError(
                    f"{key}: given for {', '.join(one.categories)}, but something else by {one.by} "
                    f"for {', '.join(known[one.by])}"
                )
