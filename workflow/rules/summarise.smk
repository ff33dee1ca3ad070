# Metrics of every trajectory, and quantiles over the ensemble.
rule summarise:
    input:
        ensemble=ensemble_of,
    output:
        summary="results/{experiment}/summary.nc",
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
    script:
        "../scripts/summarise.py"
