# The parameter design: one row per trajectory.
rule design:
    input:
        table=lambda wildcards: [ancient(t) for t in experiment_of(wildcards).tables],
        mark=mark_of("design"),
    output:
        design=update("results/{experiment}/design.nc"),
    log:
        "results/{experiment}/logs/design.log",
    benchmark:
        "results/{experiment}/benchmarks/design.tsv"
    group:
        "results"
    conda:
        "../envs/odeflow.yaml"
    params:
        spec=spec_of("design"),
        stage=stage_of("design"),
    script:
        "../scripts/design.py"
