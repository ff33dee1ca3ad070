# `snakemake --cores 1 prune` removes solved chunks that no configured experiment uses.
rule prune:
    log:
        "results/prune.log",
    localrule: True
    conda:
        "../envs/odeflow.yaml"
    params:
        keep=sorted(file for e in EXPERIMENTS.values() for file in e.kept_files),
        resolvers=REQUEST.resolvers,
    script:
        "../scripts/prune.py"
