"""Two checkouts of odeflow on the same cases, in turn: is the native engine as fast as before?

    python -m benchmarks.pairs ../before                     five pairs of three cases
    python -m benchmarks.pairs ../before --cases lorenz --repeats 9

Each checkout has a process of its own, which compiles once and then solves when asked; the two are
asked in turn, so that a machine whose speed drifts slows both. Prints, one line per case, the ratio
of the seconds of each pair (this checkout / the other; above 1 is slower) with its median, and the
largest difference between the two solutions in units of the tolerance.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CASES = ("seed", "robertson", "hires")


class Checkout:
    """The process of one checkout, with one case compiled."""

    def __init__(self, root: Path, case: str, cores: int):
        paths = os.pathsep.join([str(root / "src"), str(root)])
        self._cache = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, "--serve", case, str(cores)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": paths, "BENCH_CACHE": self._cache.name},
        )

    def ask(self, word: str) -> Any:
        """The answer to `solve` (seconds) or `values` (of the first lanes)."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process of a checkout ended; its message stands above")
        return json.loads(line)

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()
        self._cache.cleanup()


def serve(case_name: str, cores: int) -> None:
    """The process of a checkout: answers until its input ends."""
    from benchmarks import contenders
    from benchmarks.problems import find_case
    from benchmarks.runners import make_runner

    module = contenders.load("native")
    if hasattr(module, "configure"):
        module.configure(cores)
    case = find_case(case_name)
    runner = make_runner(case, "native", case.size, cores)
    tolerances = {"rtol": case.rtol, "atol": case.atol}
    for line in sys.stdin:
        if line.strip() == "solve":
            answer: Any = runner.solve(1.0)
        else:
            answer = {"values": runner.inspect(256)[0].ravel().tolist(), **tolerances}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def difference(ours: dict[str, Any], theirs: dict[str, Any]) -> float:
    """The largest difference of two solutions in units of the tolerance."""
    return max(
        abs(a - b) / (ours["atol"] + ours["rtol"] * abs(b))
        for a, b in zip(ours["values"], theirs["values"], strict=True)
    )


def compare(case: str, other: Path, repeats: int, cores: int) -> str:
    """One line: the ratios of the pairs, their median, the difference of the solutions."""
    pair = Checkout(ROOT, case, cores), Checkout(other, case, cores)
    for checkout in pair:
        checkout.ask("solve")  # compiles, touches its memory
    ratios = []
    for repeat in range(repeats):
        order = pair if repeat % 2 == 0 else pair[::-1]
        seconds = {checkout: checkout.ask("solve") for checkout in order}
        ratios.append(seconds[pair[0]] / seconds[pair[1]])
    apart = difference(*(checkout.ask("values") for checkout in pair))
    for checkout in pair:
        checkout.close()
    median = sorted(ratios)[len(ratios) // 2]
    listed = " ".join(f"{ratio:.3f}" for ratio in ratios)
    return f"{case:12} {median:.3f}  ({listed})  apart by {apart:.2g} tolerances"


def main() -> None:
    """See the module."""
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], int(sys.argv[3]))
        return
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("other", type=Path, help="the folder of the other checkout")
    parser.add_argument("--cases", nargs="+", default=CASES)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cores", type=int, default=1)
    options = parser.parse_args()
    for case in options.cases:
        line = compare(case, options.other.resolve(), options.repeats, options.cores)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
