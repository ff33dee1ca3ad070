# A random part of the trajectories, solved again by SciPy.
rule verify:
    input:
        ensemble="results/{experiment}/ensemble.nc",
    output:
        verification="results/{experiment}/verification.nc",
    log:
        "results/{experiment}/logs/verify.log",
    benchmark:
        "results/{experiment}/benchmarks/verify.tsv"
    conda:
        "../envs/odeflow.yaml"
    params:
        spec=spec_of("verify"),
    script:
        "../scripts/verify.py"
