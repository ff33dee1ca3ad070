# One chunk of trajectories. The folder's name is a digest of all that decides the numbers, so a
# chunk is shared by every experiment that needs it and is never stale.
def chunk_of(wildcards):
    return CHUNKS[f"results/chunks/{wildcards.chunk}.nc"]


def chunk_spec(wildcards):
    experiment, chunk = chunk_of(wildcards)
    return experiment.chunk_spec(chunk)


rule solve:
    input:
        table=lambda wildcards: [ancient(t) for t in chunk_of(wildcards)[0].tables],
    output:
        chunk="results/chunks/{chunk}.nc",
    params:
        spec=chunk_spec,
    log:
        "results/chunks/{chunk}.log",
    benchmark:
        "results/chunks/{chunk}.tsv"
    threads: lambda wildcards: chunk_of(wildcards)[0].threads(workflow.cores)
    conda:
        "../envs/odeflow.yaml"
    script:
        "../scripts/solve.py"
