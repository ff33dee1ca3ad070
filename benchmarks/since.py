"""Each ratio of the page against that of an earlier one: which are below 0.9 of it.

    python -m benchmarks.since                     the results here against those of the last commit
    python -m benchmarks.since HEAD~3
    python -m benchmarks.since before.json

Ratios are times of others over odeflow's, at equal errors, so that a slower machine slows both;
seconds of compiling and of the whole flow are compared as they are. Ends with status 1 where a row
fell, or is no longer measured.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.problems import CASES, find_case
from benchmarks.ratios import ASKED, ratio
from benchmarks.report import label, number
from benchmarks.rival_report import SHOWN, compare

RESULTS = Path(__file__).parent / "results.json"
#: What every ratio has to keep of the one before.
KEPT = 0.9


def gains(results: Mapping[str, Any], rivals: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Rows of a page with how fast each is: above, faster. `rivals` names the contenders."""
    for asked in ASKED:
        if asked.case in results.get("cases", {}):
            found = ratio(asked, results["cases"][asked.case])
            title = f"{CASES[asked.case].title}, {CASES[asked.case].saved}"
            if found is not None:
                yield f"{title}, {label(asked.against)}", found.equal_error
    for name, case in results.get("rivals", {}).items():
        known = rivals.get(name, {}).get("contenders", {})
        if "contenders" in case and known:
            kept = {c: found for c, found in case["contenders"].items() if c in known}
            for error in SHOWN:
                found = compare(case | {"contenders": kept}, error)
                if found is not None:
                    yield f"{find_case(name).title}, error {error:.0e}", found.ratio
    for name, times in results.get("compile", {}).items():
        yield f"compile {find_case(name).title}", 1 / sum(times["first"].values())
    if "pipeline" in results:
        yield "the whole flow of a million", 1 / results["pipeline"]["flow"]


def parts_kept(new: Mapping[str, Any], old: Mapping[str, Any]) -> list[tuple[str, float | None]]:
    """Of every row of an old page how much a new one has of it; None where it has none."""
    now, before = (dict(gains(results, old.get("rivals", {}))) for results in (new, old))
    return [(row, now[row] / value if row in now else None) for row, value in before.items()]


def old_results(where: str) -> Mapping[str, Any]:
    """Those of a file, or of a commit."""
    if Path(where).is_file():
        return json.loads(Path(where).read_text("utf-8"))
    file = f"{where}:./{RESULTS.name}"
    command = ["git", "-C", str(RESULTS.parent), "show", file]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("before", nargs="?", default="HEAD", help="a commit or a file of results")
    new = json.loads(RESULTS.read_text("utf-8"))
    found = parts_kept(new, old_results(parser.parse_args().before))
    lost = [(row, kept) for row, kept in found if kept is None or kept < KEPT]
    for row, kept in sorted(found, key=lambda one: one[1] or 0.0):
        said = "not measured now" if kept is None else f"{number(kept)} of before"
        print(f"{'BELOW ' if (row, kept) in lost else '      '}{row}: {said}")
    print(f"{len(lost)} of {len(found)} rows are below {KEPT:g} of what they were")
    sys.exit(bool(lost))


if __name__ == "__main__":
    main()
