# The trajectories that failed, with a diagnosis each.
rule diagnose:
    input:
        ensemble=ensemble_of,
        mark=mark_of("diagnose"),
    output:
        failures=update("results/{experiment}/failures.csv"),
    log:
        "results/{experiment}/logs/diagnose.log",
    benchmark:
        "results/{experiment}/benchmarks/diagnose.tsv"
    group:
        "results"
    conda:
        "../envs/odeflow.yaml"
    params:
        spec=spec_of("diagnose"),
        stage=stage_of("diagnose"),
    script:
        "../scripts/diagnose.py"
