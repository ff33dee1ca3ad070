# The figures. Which there are depends on the experiment, so each has a rule of its own.
for experiment in EXPERIMENTS.values():
    if drawn := figures_of(experiment, "plot"):

        rule:
            name:
                f"plot_{experiment.name}"
            input:
                ensemble=experiment.ensemble,
                summary=f"results/{experiment.name}/summary.nc",
                mark=mark(str(experiment.folder), "plot"),
            output:
                **drawn,
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
                captions=experiment.captions,
            script:
                "../scripts/plot.py"

    # Beside those and first: they take as long as all others together.
    if drawn := figures_of(experiment, "plot_results"):

        rule:
            name:
                f"plot_results_{experiment.name}"
            input:
                ensemble=experiment.ensemble,
                summary=f"results/{experiment.name}/summary.nc",
                mark=mark(str(experiment.folder), "plot_results"),
            output:
                **drawn,
            log:
                f"results/{experiment.name}/logs/plot_results.log",
            benchmark:
                f"results/{experiment.name}/benchmarks/plot_results.tsv"
            priority: 1
            group:
                "results"
            conda:
                "../envs/odeflow.yaml"
            params:
                spec=experiment.stage_spec("plot_results"),
                stage=experiment.stage("plot_results").as_data(),
                captions=experiment.captions,
            script:
                "../scripts/plot_results.py"

    # Apart, so that the others need not wait for the verification.
    if drawn := figures_of(experiment, "plot_verification"):

        rule:
            name:
                f"plot_verification_{experiment.name}"
            input:
                **verification_of(experiment),
                mark=mark(str(experiment.folder), "plot_verification"),
            output:
                **drawn,
            log:
                f"results/{experiment.name}/logs/plot_verification.log",
            benchmark:
                f"results/{experiment.name}/benchmarks/plot_verification.tsv"
            group:
                "results"
            conda:
                "../envs/odeflow.yaml"
            params:
                spec=experiment.stage_spec("plot_verification"),
                stage=experiment.stage("plot_verification").as_data(),
                captions=experiment.captions,
            script:
                "../scripts/plot_verification.py"

    if drawn := figures_of(experiment, "plot_sensitivity"):

        rule:
            name:
                f"plot_sensitivity_{experiment.name}"
            input:
                **indices_of(experiment),
                mark=mark(str(experiment.folder), "plot_sensitivity"),
            output:
                **drawn,
            log:
                f"results/{experiment.name}/logs/plot_sensitivity.log",
            benchmark:
                f"results/{experiment.name}/benchmarks/plot_sensitivity.tsv"
            group:
                "results"
            conda:
                "../envs/odeflow.yaml"
            params:
                spec=experiment.stage_spec("plot_sensitivity"),
                stage=experiment.stage("plot_sensitivity").as_data(),
                captions=experiment.captions,
            script:
                "../scripts/plot_sensitivity.py"

    if drawn := figures_of(experiment, "plot_estimates"):

        rule:
            name:
                f"plot_estimates_{experiment.name}"
            input:
                estimates=experiment.estimates,
                mark=mark(str(experiment.folder), "plot_estimates"),
            output:
                **drawn,
            log:
                f"results/{experiment.name}/logs/plot_estimates.log",
            benchmark:
                f"results/{experiment.name}/benchmarks/plot_estimates.tsv"
            group:
                "results"
            conda:
                "../envs/odeflow.yaml"
            params:
                spec=experiment.stage_spec("plot_estimates"),
                stage=experiment.stage("plot_estimates").as_data(),
                captions=experiment.captions,
            script:
                "../scripts/plot_estimates.py"

    if drawn := figures_of(experiment, "plot_training"):

        rule:
            name:
                f"plot_training_{experiment.name}"
            input:
                **training_of(experiment),
                mark=mark(str(experiment.folder), "plot_training"),
            output:
                **drawn,
            log:
                f"results/{experiment.name}/logs/plot_training.log",
            benchmark:
                f"results/{experiment.name}/benchmarks/plot_training.tsv"
            group:
                "results"
            conda:
                "../envs/odeflow.yaml"
            params:
                spec=experiment.stage_spec("plot_training"),
                stage=experiment.stage("plot_training").as_data(),
            script:
                "../scripts/plot_training.py"
