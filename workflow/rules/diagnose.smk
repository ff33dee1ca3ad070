# The trajectories that failed, with a diagnosis each.
rule diagnose:
    input:
        ensemble="results/{experiment}/ensemble.nc",
    output:
        failures="results/{experiment}/failures.csv",
    log:
        "results/{experiment}/logs/diagnose.log",
    benchmark:
        "results/{experiment}/benchmarks/diagnose.tsv"
    conda:
        "../envs/odeflow.yaml"
    params:
        spec=spec_of("diagnose"),
    script:
        "../scripts/diagnose.py"
