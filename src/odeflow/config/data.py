"""The `data` of a model: files of numbers that odeflow reads and hands to the field."""

import unicodedata
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from odeflow.config.base import Strict, is_attribute
from odeflow.files.errors import shown
from odeflow.files.plain_text import one_spelling

#: Kinds of files that hold columns, and the one that holds a single array.
TABLES, ARRAY = (".csv", ".parquet", ".nc"), ".npy"


def _attribute(name: str) -> str:
    """A name that can stand behind a dot in Python."""
    name = unicodedata.normalize("NFKC", one_spelling(name))
    if not is_attribute(name):
        raise ValueError(
            f"{shown(name)} cannot stand behind a dot in Python; name it otherwise, such as "
            '`columns: {celsius: "T [C]"}`'
        )
    return name


AttributeName = Annotated[str, AfterValidator(_attribute)]


def _study_file(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or "\\" in value:
        raise ValueError(
            f"{shown(value)} is outside of the study; copy the file into its folder, or "
            "put a symbolic link to it there, and name that"
        )
    if path.suffix.lower() not in (*TABLES, ARRAY):
        kinds = ", ".join((*TABLES, ARRAY))
        raise ValueError(f"{shown(value)} is not a kind of file that is read; known: {kinds}")
    return path.as_posix()


#: A file of numbers, relative to the study.
StudyFile = Annotated[str, AfterValidator(_study_file)]


class DataFile(Strict):
    """Columns of a file, or its one array, that the field reads as a part of `args`."""

    file: StudyFile = Field(
        description="the file, relative to the study: .csv, .parquet, .nc (its variables are the "
        "columns) or .npy (one array)"
    )
    columns: list[AttributeName] | dict[AttributeName, str] | None = Field(
        None,
        description="the columns to read, in order; {name: column} where a column's own name "
        "cannot stand behind a dot; null: all",
    )
    increasing: list[AttributeName] | None = Field(
        None,
        description="columns whose values must increase, such as the times that jnp.interp looks "
        "among; null: the first of several columns; []: none",
    )

    @property
    def is_array(self) -> bool:
        """Whether the file holds one array and no columns."""
        return PurePosixPath(self.file).suffix.lower() == ARRAY

    @property
    def named(self) -> dict[str, str] | None:
        """The file's name of each column that is asked for, by the name in `args`; None: all."""
        if isinstance(self.columns, list):
            return {name: name for name in self.columns}
        return self.columns

    @model_validator(mode="after")
    def _fits(self) -> "DataFile":
        if self.is_array and (self.columns is not None or self.increasing):
            raise ValueError("columns and increasing are for files with columns, not for .npy")
        if self.columns is not None and not self.columns:
            raise ValueError("columns: none is named; leave it out to read all")
        names = list(self.columns or ())
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"columns: {twice[0]!r} is named twice")
        for name in (self.increasing or ()) if names else ():
            if name not in names:
                raise ValueError(
                    f"increasing: {name!r} is not among the columns; known: {', '.join(names)}"
                )
        return self
