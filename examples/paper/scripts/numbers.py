"""The numbers that the text quotes, as LaTeX commands."""

from pathlib import Path

import xarray as xr

threshold = xr.open_dataset(snakemake.input.threshold, decode_times=False)
share = threshold.recovered_final / 1000
double = share.sel(beta=0.2, method="nearest")  # twice the recovery rate: R0 = 2
peak = threshold.infected_max.sel(beta=0.3, method="nearest")
numbers = {
    "ShareAtTwo": f"{100 * float(double):.1f}",
    "PeakAtThree": f"{float(peak):.0f}",
}
lines = [f"\\newcommand{{\\{name}}}{{{value}}}" for name, value in numbers.items()]
Path(snakemake.output.numbers).write_text("\n".join(lines) + "\n")
