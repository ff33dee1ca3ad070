"""Figure 1: the course of the epidemic, and the share that it infects."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import xarray as xr

mpl.use("agg")
courses = xr.open_dataset(snakemake.input.courses, decode_times=False)
threshold = xr.open_dataset(snakemake.input.threshold, decode_times=False)

figure, (left, right) = plt.subplots(1, 2, figsize=(6.9, 2.6), layout="constrained")
for beta, course in courses.infected.groupby("beta"):
    left.plot(course.time, course.squeeze("beta"), label=f"{beta:g}")
left.set(xlabel="Time (day)", ylabel="Infected persons")
left.legend(title="Transmission rate (1/day)", frameon=False, fontsize=7, title_fontsize=7)

gamma = 0.1  # the model's recovery rate, 1/day
right.plot(threshold.beta / gamma, threshold.recovered_final / 1000)
right.axvline(1, color="grey", linewidth=0.6)
right.set(xlabel="Basic reproduction number", ylabel="Share infected in the end")

figure.savefig(snakemake.output.figure, metadata={"CreationDate": None})
