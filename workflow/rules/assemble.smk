# All chunks of an experiment into one labelled dataset.
rule assemble:
    input:
        design="results/{experiment}/design.nc",
        chunks=lambda wildcards: experiment_of(wildcards).chunk_files,
    output:
        ensemble="results/{experiment}/ensemble.nc",
    log:
        "results/{experiment}/logs/assemble.log",
    benchmark:
        "results/{experiment}/benchmarks/assemble.tsv"
    conda:
        "../envs/odeflow.yaml"
    params:
        spec=spec_of("assemble"),
    script:
        "../scripts/assemble.py"
