# The figures. Which there are depends on the experiment, so each has a rule of its own.
def figures_of(experiment):
    """Every figure file by name; the first format of each kind goes into the report."""
    files = {}
    for kind in experiment.figures:
        shown, *others = experiment.figure_files(kind)
        files[kind] = report(
            shown,
            caption=f"../report/{kind}.rst",
            category=experiment.name,
            labels={"page": kind.replace("_", " ")},
        )
        files |= {f"{kind}_{Path(other).suffix[1:]}": other for other in others}
    return files


for experiment in EXPERIMENTS.values():

    rule:
        name:
            f"plot_{experiment.name}"
        input:
            ensemble=f"results/{experiment.name}/ensemble.nc",
            summary=f"results/{experiment.name}/summary.nc",
        output:
            **figures_of(experiment),
        params:
            spec=experiment.stage_spec("plot"),
        log:
            f"results/{experiment.name}/logs/plot.log",
        benchmark:
            f"results/{experiment.name}/benchmarks/plot.tsv"
        conda:
            "../envs/odeflow.yaml"
        script:
            "../scripts/plot.py"
