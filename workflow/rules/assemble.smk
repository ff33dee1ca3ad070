# All chunks of an experiment into one labelled dataset.
rule assemble:
    input:
        design="results/{experiment}/design.nc",
        chunks=chunks_of,
        mark=mark_of("assemble"),
    output:
        ensemble=update("results/{experiment}/ensemble.nc"),
    log:
        "results/{experiment}/logs/assemble.log",
    benchmark:
        "results/{experiment}/benchmarks/assemble.tsv"
    group:
        "results"
    conda:
        "../envs/odeflow.yaml"
    params:
        spec=spec_of("assemble"),
        stage=stage_of("assemble"),
    script:
        "../scripts/assemble.py"


# The same into a folder, where `assemble.format` is zarr.
use rule assemble as assemble_zarr with:
    output:
        ensemble=update(directory("results/{experiment}/ensemble.zarr")),
