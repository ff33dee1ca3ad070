"""What a study says of itself in `study.yaml`: whose it is, under which license."""

from typing import Any

from pydantic import Field, field_validator

from odeflow.config.base import Strict
from odeflow.config.text import Text


class Creator(Strict):
    """One of those who made the study."""

    name: Text = Field(min_length=1, description="the name")
    email: Text | None = Field(None, description="an address for questions")
    institution: Text | None = Field(None, description="where they work")
    url: Text | None = Field(None, description="a page, such as an ORCID iD")


class About(Strict):
    """The keys of `study.yaml`; in the datasets they are attributes after ACDD 1.3."""

    creator: list[Creator] = Field(
        default_factory=list, description="those who made it: names, or records of Creator"
    )
    license: Text | None = Field(None, description="an SPDX identifier or an address")
    keywords: list[Text] = Field(default_factory=list, description="words to find it by")
    summary: Text | None = Field(None, description="what it is, in a paragraph")

    @field_validator("creator", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        several = value if isinstance(value, list) else [value]
        return [{"name": one} if isinstance(one, str) else one for one in several]

    @field_validator("keywords", mode="before")
    @classmethod
    def _divided(cls, value: Any) -> Any:
        return [word.strip() for word in value.split(",")] if isinstance(value, str) else value

    @field_validator("keywords")
    @classmethod
    def _without_commas(cls, value: list[str]) -> list[str]:
        for word in value:
            if "," in word or not word:
                raise ValueError(f"{word!r}: commas part keywords; write each by itself")
        return value

    def attributes(self) -> dict[str, str]:
        """Global attributes of a dataset; only what is said."""
        found = {
            f"creator_{key}": "; ".join(getattr(one, key) or "" for one in self.creator)
            for key in ("name", "email", "institution", "url")
        }
        found |= {"license": self.license or "", "keywords": ", ".join(self.keywords)}
        found |= {"summary": self.summary or ""}
        return {key: value for key, value in found.items() if value.strip("; ")}
