"""Sobol indices with second order of an SBML model over 101 times: one command, time and memory.

    python -m benchmarks.sensitivity --model FILE.xml --reference FILE.npz --size 16384

The model is that of Fujita and others (Science Signaling 2010), with 13 rate constants within a
factor of 2 of nominal. The reference has their names and nominal values, and the indices that SALib
finds from libRoadRunner's trajectories of a smaller sample. With `--salib` the analysis of two of
the series by SALib is timed, of which all take so many times more.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import yaml

from odeflow.files.shipped import shipped

_OUTPUTS = ("pAkt", "pS6")
_END, _TIMES = 3600.0, 101


def rates(reference: Path) -> dict[str, float]:
    """The parameters that vary, with their nominal values."""
    with np.load(reference) as known:
        return dict(zip(map(str, known["names"]), known["nominal"].tolist(), strict=True))


def write_study(folder: Path, model: Path, nominal: Mapping[str, float], size: int, seed: int):
    """A study with the model and one experiment."""
    shutil.copy(model, folder / "fujita.xml")
    (folder / "config/model").mkdir(parents=True)
    (folder / "config/experiment").mkdir()
    group = {
        "name": "fujita",
        "sbml": "fujita.xml",
        "t0": 0.0,
        "t1": _END,
        "parameters": {
            "EGF_0": {"value": 30.0},
            "EGF_rate": {"value": 0.0},
            "EGF_end": {"value": _END},
            **{name: {"value": value} for name, value in nominal.items()},
        },
    }
    (folder / "config/model/fujita.yaml").write_text(yaml.safe_dump(group))
    choices = {
        "model": "fujita",
        "design": "saltelli",
        "solver": "rodas5p",
        "analyse": "sensitivity",
    }
    experiment: dict[str, Any] = {
        "defaults": [{f"override /{key}": name} for key, name in choices.items()],
        "name": "fujita",
        "design": {
            "size": size,
            "seed": seed,
            "second_order": True,
            "axes": {name: {"loguniform": [v / 2, v * 2]} for name, v in nominal.items()},
        },
        "solver": {"rtol": 1e-6, "atol": 1e-9},
        "saveat": {"ts": {"linspace": [0, _END, _TIMES]}, "variables": list(_OUTPUTS)},
        "summary": {"metrics": [], "quantiles": []},
        "analyse": {"sensitivity": {"metrics": []}},
        "plot": {"figures": ["sensitivity_indices", "sensitivity_over_time"]},
    }
    text = "# @package _global_\n" + yaml.safe_dump(experiment, sort_keys=False)
    (folder / "config/experiment/fujita.yaml").write_text(text)


def run(folder: Path, cores: int) -> dict[str, float]:
    """Seconds and memory of `snakemake` from nothing to the page, its jobs counted."""
    command = [sys.executable, "-m", "snakemake", "-s", str(shipped() / "Snakefile")]
    command += ["--directory", str(folder), "--cores", str(cores), "--config", "experiment=fujita"]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([*command, "verify=skip"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "wall seconds": wall,
        "CPU seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "largest process, MiB": after.ru_maxrss / 1024,
    }


def stages(folder: Path) -> dict[str, float]:
    """Seconds of each rule, as Snakemake measured them."""
    found: dict[str, float] = {}
    for file in sorted((folder / "results").rglob("*.tsv")):
        header, row = (line.split("\t") for line in file.read_text().splitlines()[:2])
        name = "solve" if "chunks" in file.parts else file.stem
        seconds = float(dict(zip(header, row))["s"])
        found[name] = found.get(name, 0.0) + seconds
    return found


def salib_seconds(folder: Path, outputs: int = 2) -> float:
    """CPU seconds of SALib's analysis of one output at one time, with its own 100 resamples."""
    from SALib.analyze import sobol

    with xr.open_dataset(folder / "results/fujita/indices.nc", decode_times=False) as indices:
        names = indices["parameter"].values.tolist()
    problem = {"num_vars": len(names), "names": names, "bounds": [[0, 1]] * len(names)}
    with xr.open_dataset(folder / "results/fujita/ensemble.nc", decode_times=False) as ensemble:
        y = [ensemble[name].isel(time=50).values.astype(float) for name in _OUTPUTS[:outputs]]
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for values in y:
            sobol.analyze(problem, values, calc_second_order=True)
    return (time.process_time() - start) / outputs


def largest_difference(folder: Path, reference: Path) -> dict[str, float]:
    """Of indices from those of SALib around libRoadRunner, which are of a smaller sample."""
    with xr.open_dataset(folder / "results/fujita/indices.nc", decode_times=False) as indices:
        own = indices.load()
    with np.load(reference) as known:
        found = {}
        for name, key in (("first_order", "S1_all"), ("total_order", "ST_all")):
            ours = np.stack(
                [own[f"{o}_{name}"].transpose("time", "parameter").values for o in _OUTPUTS], axis=1
            )
            found[f"largest difference, {name}"] = float(np.nanmax(np.abs(ours - known[key])[1:]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="the SBML file")
    parser.add_argument("--reference", type=Path, required=True, help="indices of SALib's, .npz")
    parser.add_argument("--size", type=int, default=2**14, help="base points")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--salib", action="store_true", help="time SALib's analysis too")
    parser.add_argument(
        "--simulation-ms", type=float, default=0.83, help="one simulation by libRoadRunner"
    )
    parser.add_argument("--keep", type=Path, help="a folder for the study, which is kept")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        nominal = rates(asked.reference)
        write_study(folder, asked.model, nominal, asked.size, asked.seed)
        measured: dict[str, Any] = run(folder, asked.cores)
        trajectories = asked.size * (2 * len(nominal) + 2)
        measured["trajectories"] = trajectories
        measured["stages"] = stages(folder)
        measured |= largest_difference(folder, asked.reference)
        if asked.salib:
            series = len(_OUTPUTS) * _TIMES
            one = salib_seconds(folder)
            others = trajectories * asked.simulation_ms / 1000 + one * series
            measured["SALib, one series, CPU seconds"] = one
            measured["libRoadRunner and SALib, CPU seconds"] = others
            measured["times as fast"] = others / measured["CPU seconds"]
        print(json.dumps(measured, indent=1))


if __name__ == "__main__":
    main()
