# `snakemake advice` says what the first chunks cost and what that means for larger runs.
rule advice:
    log:
        "results/advice.log",
    localrule: True
    conda:
        "../envs/odeflow.yaml"
    params:
        lines=lambda wildcards: [job_resources.advice(e) for e in EXPERIMENTS.values()],
    script:
        "../scripts/advice.py"
