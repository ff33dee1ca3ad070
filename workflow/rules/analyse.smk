# Sensitivity indices: which parameters the spread of metrics and of variables over time comes from.
rule sensitivity:
    input:
        ensemble=ensemble_of,
        summary="results/{experiment}/summary.nc",
        mark=mark_of("sensitivity"),
    output:
        indices=update("results/{experiment}/indices.nc"),
    log:
        "results/{experiment}/logs/sensitivity.log",
    benchmark:
        "results/{experiment}/benchmarks/sensitivity.tsv"
    group:
        "results"
    conda:
        "../envs/odeflow.yaml"
    params:
        spec=spec_of("sensitivity"),
        stage=stage_of("sensitivity"),
    script:
        "../scripts/sensitivity.py"
