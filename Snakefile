# odeflow: batched ODE solving, from a few lines of YAML to labelled NetCDF and figures.
# What runs is decided in config/; the stages are in workflow/rules/, one file each.
import logging
import os

from snakemake.utils import min_version

min_version("9.0")

logging.raiseExceptions = False  # a log that the disk has no space for must not hide the reason


configfile: f"{workflow.basedir}/config/workflow.yaml"


if os.path.isfile("config/workflow.yaml"):  # the study's own

    configfile: "config/workflow.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/design.smk"
include: "workflow/rules/solve.smk"
include: "workflow/rules/assemble.smk"
include: "workflow/rules/summarise.smk"
include: "workflow/rules/analyse.smk"
include: "workflow/rules/verify.smk"
include: "workflow/rules/estimate.smk"
include: "workflow/rules/plot.smk"
include: "workflow/rules/diagnose.smk"
include: "workflow/rules/overview.smk"
include: "workflow/rules/verdict.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/prune.smk"
include: "workflow/rules/advice.smk"


onstart:
    claim_files()
    start_worker()
    say_what_is_done()


# The page of the study: not a job, so that runs of other experiments need not wait for one another.
onsuccess:
    write_index()
    say_what_came_of_it(whole=True)


onerror:
    write_index()
    say_what_came_of_it(whole=False)


rule all:
    default_target: True
    input:
        [experiment.targets + experiment.checks for experiment in EXPERIMENTS.values()],
        comparison_file(COMPARED) if COMPARED else [],
