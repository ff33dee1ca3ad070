"""The `inputs` of a model: quantities whose course over time is given, by a file or by numbers."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from odeflow.config.base import ChoiceName, Real, Strict, VariableName
from odeflow.config.data import DataFile, StudyFile
from odeflow.config.dates import Time
from odeflow.config.text import Text

Numbers = Annotated[list[Real], Field(min_length=1)]
Times = Annotated[list[Time], Field(min_length=1)]


class InputConfig(Strict):
    """A quantity with a given course over time, which the functions read as `args.<name>`."""

    file: StudyFile | None = Field(
        None,
        description="the file of the course, relative to the study: .csv, .parquet or .nc; without "
        "one, `time` and `value` are lists of numbers",
    )
    time: str | Times = Field(
        description="the column of the times, in `model.time_units`, or dates; they increase"
    )
    value: str | Numbers | dict[ChoiceName, str | Numbers] = Field(
        description="the column of the values, in `units`; {category: column} for a course each"
    )
    by: VariableName | None = Field(
        None, description="with a course for each category: the axis that says which one holds"
    )
    interpolation: Literal["linear", "previous", "next", "cubic"] = Field(
        "linear",
        description="the value between two times: on a straight line, that of the time before or "
        "after, or a cubic that is monotone where the values are",
    )
    outside: Literal["hold", "error"] = Field(
        "error",
        description="before the first time and after the last: hold the value there, or refuse a "
        "time span that is not covered",
    )
    units: Text = Field("1", description="units of the values, as printed on axes")
    long_name: Text | None = Field(None, description="what it is, in words; default: its name")

    @property
    def courses(self) -> Mapping[str, str | list[float]]:
        """The column or the numbers of each course by its category; "" where there is but one."""
        return self.value if isinstance(self.value, dict) else {"": self.value}

    @property
    def categories(self) -> list[str]:
        """The categories that have a course each; none where there is but one course."""
        return list(self.value) if isinstance(self.value, dict) else []

    @property
    def jumps(self) -> bool:
        """Whether its courses jump at the times."""
        return self.interpolation in ("previous", "next")

    @property
    def table(self) -> DataFile | None:
        """The file with the columns that are read: `time`, `course_0`, `course_1`, ..."""
        if self.file is None:
            return None
        named = {f"course_{i}": str(column) for i, column in enumerate(self.courses.values())}
        columns = {"time": str(self.time), **named}
        return DataFile(file=self.file, columns=columns, increasing=["time"])

    @model_validator(mode="after")
    def _fits(self) -> "InputConfig":
        if self.file is not None and self.file.endswith(".npy"):
            raise ValueError("file: a .npy file has no columns; use .csv, .parquet or .nc")
        if isinstance(self.value, dict) and not self.value:
            raise ValueError("value: no category is named")
        if (self.by is None) == isinstance(self.value, dict):
            raise ValueError(
                "by: needed where value has a course for each category: the axis to choose by"
                if self.by is None
                else "by: only where value has a course for each category, as {north: column}"
            )
        for key, given in (("time", self.time), *(("value", x) for x in self.courses.values())):
            if (self.file is None) == isinstance(given, str):
                raise ValueError(
                    f"{key}: {given!r} names a column, but there is no file; give file, or numbers"
                    if self.file is None
                    else f"{key}: beside file it is the name of a column"
                )
            if isinstance(given, list) and len(given) != len(self.time):
                raise ValueError(f"value: {len(given)} numbers for {len(self.time)} times")
        return self
