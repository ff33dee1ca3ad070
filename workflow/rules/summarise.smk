# Metrics of every trajectory, and quantiles over the ensemble.
rule summarise:
    input:
        ensemble=ensemble_of,
        mark=mark_of("summarise"),
    output:
        summary=update("results/{experiment}/summary.nc"),
    log:
        "results/{experiment}/logs/summarise.log",
    benchmark:
        "results/{experiment}/benchmarks/summarise.tsv"
    group:
        "results"
    conda:
        "../envs/odeflow.yaml"
    params:
        spec=spec_of("summarise"),
        stage=stage_of("summarise"),
    script:
        "../scripts/summarise.py"
