"""Cases with rivals: reference, then each contender in a process of its own, with a time limit."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import contenders
from benchmarks.problems import find_case

ROOT = Path(__file__).parents[1]
REFERENCE_LIMIT = 120  # seconds
LIMIT = 40
LARGE_LIMIT = 100


def measure(name: str, folder: Path, cores: int, quick: bool) -> dict[str, Any]:
    """All contenders on a case: `certainty`, and of each its `runs` or a `reason`."""
    case: Any = find_case(name)
    path = folder / f"rival-{name}.npz"
    said = _lines("rival_reference", [name, str(path)], REFERENCE_LIMIT, folder)
    if not path.exists():
        return {"reason": f"no reference: {said.get('reason', 'its process ended')}"}
    few = ["--rungs", "2", "--most", "16", "--seconds", "0.5"] if quick else []
    limit = LIMIT
    if case.large is not None or case.sensitivities:
        limit, few = LARGE_LIMIT, few or ["--seconds", "8"]
    found = {}
    for contender in case.contenders:
        arguments = [name, contender, "--reference", str(path), "--cores", str(cores), *few]
        reason = refusal(case, contender)
        if reason is None:
            found[contender] = _lines("ladder", arguments, limit, folder)
        else:
            found[contender] = {"reason": reason}
        print(f"{name:18} {contender:16} {in_words(found[contender])}", flush=True)
    return {"certainty": certainty(path), "contenders": found}


def certainty(path: Path) -> float:
    """How far a reference may be off."""
    import numpy as np

    with np.load(path) as file:
        return float(file["check"])


def refusal(case: Any, contender: str) -> str | None:
    """Why a contender cannot run a case; None where it can."""
    try:
        module = contenders.load(contender.partition(":")[0])
        return module.refuses(case) if hasattr(module, "refuses") else None
    except Exception as error:  # not installed, or not whole: it stops no other
        return str(error)


def in_words(found: dict[str, Any]) -> str:
    """A line about what a contender did."""
    runs = found.get("runs", [])
    ends = [f"{r['microseconds']:.3g} us at {r['error']:.1e}" for r in (*runs[:1], *runs[-1:])]
    return "; ".join([*ends, *([found["reason"]] if "reason" in found else [])])


def _lines(module: str, arguments: Sequence[str], limit: int, folder: Path) -> dict[str, Any]:
    """What a process said, also where it did not end well: then there is a `reason` too."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    environment = os.environ | {"PYTHONPATH": paths, "BENCH_CACHE": str(folder)} | alone
    process = subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    ending = None
    try:
        text, errors = process.communicate(timeout=limit)
        if process.returncode:
            last = (errors.strip().splitlines() or [f"status {process.returncode}"])[-1]
            ending = f"its process failed: {last}"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)  # with the processes that it started
        text, _ = process.communicate()
        ending = f"not done within {limit} s"
    except KeyboardInterrupt:
        os.killpg(process.pid, 9)
        raise
    said = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    found: dict[str, Any] = {"runs": [line for line in said if "scale" in line]}
    for line in said:
        found |= {k: v for k, v in line.items() if k in ("compile_seconds", "reason")}
    return found if ending is None else {"reason": ending} | found
