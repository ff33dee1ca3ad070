# One chunk of trajectories. The folder's name is a digest of all that decides the numbers, so a
# chunk is shared by every experiment that needs it and is never stale.
rule solve:
    input:
        table=lambda wildcards: [ancient(t) for t in chunk_of(wildcards)[0].tables],
        model=lambda wildcards: ancient(f"results/chunks/{wildcards.chunk[:16]}/model.txt"),
    output:
        chunk="results/chunks/{chunk}.nc",
    log:
        "results/chunks/{chunk}.log",
    benchmark:
        "results/chunks/{chunk}.tsv"
    conda:
        "../envs/odeflow.yaml"
    threads: lambda wildcards: chunk_of(wildcards)[0].threads(workflow.cores)
    params:
        spec=chunk_spec,
    script:
        "../scripts/solve.py"
