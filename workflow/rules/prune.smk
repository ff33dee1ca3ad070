# `snakemake --cores 1 prune` removes solved chunks that no configured experiment uses.
rule prune:
    params:
        keep=sorted(CHUNKS),
    log:
        "results/prune.log",
    conda:
        "../envs/odeflow.yaml"
    localrule: True
    script:
        "../scripts/prune.py"
