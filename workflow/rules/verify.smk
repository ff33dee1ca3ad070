# A random part of the trajectories, solved again by SciPy.
rule verify:
    input:
        ensemble=ensemble_of,
        mark=mark_of("verify"),
    output:
        verification=update("results/{experiment}/verification.nc"),
    log:
        "results/{experiment}/logs/verify.log",
    benchmark:
        "results/{experiment}/benchmarks/verify.tsv"
    group:
        "results"
    conda:
        "../envs/odeflow.yaml"
    params:
        spec=spec_of("verify"),
        stage=stage_of("verify"),
    script:
        "../scripts/verify.py"
