# All chunks of an experiment into one labelled dataset.
rule assemble:
    input:
        design="results/{experiment}/design.nc",
        chunks=lambda wildcards: experiment_of(wildcards).chunk_files,
    output:
        ensemble="results/{experiment}/ensemble.nc",
    params:
        spec=spec_of("assemble"),
    log:
        "results/{experiment}/logs/assemble.log",
    benchmark:
        "results/{experiment}/benchmarks/assemble.tsv"
    conda:
        "../envs/odeflow.yaml"
    script:
        "../scripts/assemble.py"
