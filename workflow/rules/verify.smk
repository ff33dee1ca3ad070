# Some of the trajectories, the most suspect first, solved again by SciPy. The figures do not wait for
# it, but for its own.
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
        solved=lambda wildcards: experiment_of(wildcards).measured_chunks,
    script:
        "../scripts/verify.py"
