# The figures. Which there are depends on the experiment, so each has a rule of its own.
for experiment in EXPERIMENTS.values():

    rule:
        name:
            f"plot_{experiment.name}"
        input:
            **verification_of(experiment),
            ensemble=experiment.ensemble,
            summary=f"results/{experiment.name}/summary.nc",
            mark=mark(str(experiment.folder), "plot"),
        output:
            **figures_of(experiment),
        log:
            f"results/{experiment.name}/logs/plot.log",
        benchmark:
            f"results/{experiment.name}/benchmarks/plot.tsv"
        group:
            "results"
        conda:
            "../envs/odeflow.yaml"
        params:
            spec=experiment.stage_spec("plot"),
            stage=experiment.stage("plot").as_data(),
        script:
            "../scripts/plot.py"
