# One chunk of trajectories. The folder's name is a digest of all that decides the numbers, so a
# chunk is shared by every experiment that needs it and is never stale. `update` and `ancient`
# leave the decision to that name: a whole chunk that Snakemake does not know of is kept.
rule solve:
    input:
        needs=chunk_needs,
    output:
        chunk=update("results/chunks/{chunk}.nc"),
    log:
        "results/chunks/{chunk}.log",
    benchmark:
        "results/chunks/{chunk}.tsv"
    wildcard_constraints:
        chunk=OTHER_CHUNKS,
    conda:
        "../envs/odeflow.yaml"
    threads: chunk_threads
    resources:
        mem_mb=chunk_memory,
        runtime=chunk_minutes,
    params:
        spec=chunk_spec,
    script:
        "../scripts/solve.py"


# The first chunk where there are several. It finds a mistake in the model before the others start,
# compiles what they run, and its measurements decide the memory and time that they ask for.
use rule solve as solve_pilot with:
    output:
        chunk=update("results/chunks/{chunk}.nc"),
        pilot=update("results/chunks/{chunk}.pilot.json"),
    wildcard_constraints:
        chunk=PILOT_CHUNKS,
