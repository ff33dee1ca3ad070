"""The command: compares every case with its record, or writes the record."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.corpus import record
from tests.corpus.case import Case
from tests.corpus.cases import cases
from tests.corpus.comparing import Comparison, compare
from tests.corpus.sbml_suite import SUITE
from tests.corpus.solving import solve_all


def main() -> int:
    """Returns 1 where a case differs from its record, 2 where there is nothing to compare."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of cases; default: all")
    parser.add_argument("--write", action="store_true", help="write the record")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument(
        "--sbml-suite", type=Path, default=SUITE, help="folder with cases of the SBML Test Suite"
    )
    arguments = parser.parse_args()
    asked = [
        case
        for case in cases(arguments.sbml_suite)
        if not arguments.names or any(part in case.name for part in arguments.names)
    ]
    chosen = [case for case in asked if case.is_there]
    left_out = len(asked) - len(chosen)
    if left_out:
        print(f"left out: {left_out} cases of the SBML Test Suite; --sbml-suite names its folder")
    if not chosen or (arguments.write and left_out):
        print("nothing to do: name other cases, or the folder of the suite", file=sys.stderr)
        return 2
    return _write(chosen, arguments.jobs) if arguments.write else _compare(chosen, arguments.jobs)


def _compare(chosen: Sequence[Case], jobs: int) -> int:
    recorded, began, differ = record.read(), time.perf_counter(), 0
    print(f"{'case':50s} {'lanes':>5s} {'equal':>5s} {'difference':>10s} {'compiled':>8s}")
    print(f"{'':50s} {'':5s} {'steps':>5s} {'tol / 100':>10s} {'s':>8s}")
    for case, found in solve_all(chosen, jobs):
        row = found.row
        if row is None:
            result = Comparison(differences=(f"raises {found.error}",))
        else:
            result = compare(recorded.get(case.name), row)
        lanes, refused = (row.lanes, row.refused) if row else (0, None)
        print(
            f"{case.name:50.50s} {lanes:5d} {result.equal:5d} {result.largest:10.3f} "
            f"{found.seconds:8.2f}" + (f"  refused: {refused}" if refused else ""),
            flush=True,
        )
        for line in result.differences:
            print(f"    {line}", flush=True)
        differ += bool(result.differences)
    seconds = time.perf_counter() - began
    print(f"{len(chosen) - differ} of {len(chosen)} cases are equal, in {seconds:.0f} s")
    return int(differ > 0)


def _write(chosen: Sequence[Case], jobs: int) -> int:
    """Cases that are not chosen keep their rows; those that are no longer there lose them."""
    rows, failed = (record.read() if record.FILE.exists() else {}), 0
    for case, found in solve_all(chosen, jobs, edges=True):
        if found.row is None:
            failed += 1
            print(f"{case.name:50.50s} raises {found.error}", flush=True)
            continue
        rows[case.name] = found.row
        outcome = found.row.refused or f"{found.row.lanes} lanes"
        edge = f"; at an edge: {', '.join(map(str, found.at_edge))}" if found.at_edge else ""
        print(f"{case.name:50.50s} {found.seconds:8.2f} s  {outcome}{edge}", flush=True)
    kept = {case.name: rows[case.name] for case in cases(SUITE) if case.name in rows}
    record.write(kept)
    print(f"wrote {len(kept)} cases, {record.FILE.stat().st_size / 1e3:.0f} kB")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
