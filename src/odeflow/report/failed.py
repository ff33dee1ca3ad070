"""The failed trajectories as a page needs them: counted by cause, and the first of them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

#: Rows that a page shows.
MOST_SHOWN = 100


@dataclass
class Failed:
    """What went wrong how often, what to do about it, and the first rows of `failures.csv`."""

    causes: Counter[tuple[str, str]] = field(default_factory=Counter)
    advice: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    first: list[Mapping[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, str]]) -> "Failed":
        """Counts rows one by one: there may be millions.

        Arguments:
            rows: those of `failures.csv`.
        """
        found = cls()
        for row in rows:
            kind = row["status"], row["cause"]
            found.causes[kind] += 1
            found.advice.setdefault(kind, Counter())[row["advice"]] += 1
            if len(found.first) < MOST_SHOWN:
                found.first.append(row)
        return found

    def commonest_advice(self, kind: tuple[str, str]) -> str:
        """What most of the trajectories of a status and cause need."""
        return self.advice[kind].most_common(1)[0][0]
