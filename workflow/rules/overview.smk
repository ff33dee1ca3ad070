# One page per experiment: what it says, with its figures, checks, config and versions.
rule overview:
    input:
        unpack(lambda wildcards: verification_of(experiment_of(wildcards))),
        unpack(lambda wildcards: indices_of(experiment_of(wildcards))),
        unpack(lambda wildcards: estimates_of(experiment_of(wildcards))),
        unpack(lambda wildcards: training_of(experiment_of(wildcards))),
        ensemble=ensemble_of,
        summary="results/{experiment}/summary.nc",
        figures=lambda wildcards: experiment_of(wildcards).all_figures,
        failures="results/{experiment}/failures.csv",
        mark=mark_of("overview"),
    output:
        page=report(
            update("results/{experiment}/overview.html"),
            caption="../report/overview.rst",
            category="{experiment}",
            labels={"page": "overview"},
        ),
        verdict=update("results/{experiment}/verdict.json"),
    log:
        "results/{experiment}/logs/overview.log",
    benchmark:
        "results/{experiment}/benchmarks/overview.tsv"
    group:
        "results"
    conda:
        "../envs/odeflow.yaml"
    params:
        spec=spec_of("overview"),
        stage=stage_of("overview"),
    script:
        "../scripts/overview.py"
