# Sensitivity indices: which parameters the spread of metrics and of variables over time comes from.
rule sensitivity:
    input:
        ensemble=ensemble_of,
        summary="results/{experiment}/summary.nc",
        mark=mark_of("sensitivity"),
    output:
        indices=update("results/{experiment}/indices.nc"),
    log:
        "results/{experiment}/logs/sensitivity.log",
    benchmark:
        "results/{experiment}/benchmarks/sensitivity.tsv"
    group:
        "results"
    conda:
        "../envs/odeflow.yaml"
    params:
        spec=spec_of("sensitivity"),
        stage=stage_of("sensitivity"),
    script:
        "../scripts/sensitivity.py"


# Parameters, simulated outputs and noise: a training set for simulation-based inference.
rule simulate_for_inference:
    input:
        ensemble=ensemble_of,
        summary="results/{experiment}/summary.nc",
        mark=mark_of("simulate_for_inference"),
    output:
        training=update(directory("results/{experiment}/training")),
    log:
        "results/{experiment}/logs/simulate_for_inference.log",
    benchmark:
        "results/{experiment}/benchmarks/simulate_for_inference.tsv"
    group:
        "results"
    conda:
        "../envs/odeflow.yaml"
    params:
        spec=spec_of("simulate_for_inference"),
        stage=stage_of("simulate_for_inference"),
    script:
        "../scripts/simulate_for_inference.py"


# The same into a store, where `analyse.simulate_for_inference.format` is zarr.
use rule simulate_for_inference as simulate_for_inference_zarr with:
    output:
        training=update(directory("results/{experiment}/training.zarr")),
