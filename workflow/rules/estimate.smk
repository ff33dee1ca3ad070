# Some starts of an estimation. The folder's name is a digest of all that decides their numbers, so
# they are never stale, and more starts keep those that are there.
rule fit:
    input:
        data=lambda wildcards: [ancient(f) for f in experiment_of(wildcards).measured],
    output:
        starts=update("results/{experiment}/starts/{chunk}.nc"),
    log:
        "results/{experiment}/starts/{chunk}.log",
    benchmark:
        "results/{experiment}/starts/{chunk}.tsv"
    wildcard_constraints:
        chunk=r"[0-9a-f]{16}/\d+-\d+",
    conda:
        "../envs/odeflow.yaml"
    threads: lambda wildcards: job_resources.fit_threads(experiment_of(wildcards), workflow.cores)
    params:
        spec=lambda wildcards: experiment_of(wildcards).fit_spec(wildcards.chunk),
    script:
        "../scripts/fit.py"


# What all starts say: the best fit, intervals, profiles, draws from the posterior.
rule estimate:
    input:
        starts=lambda wildcards: experiment_of(wildcards).start_files,
        mark=mark_of("estimate"),
    output:
        estimates=update("results/{experiment}/estimates.nc"),
    log:
        "results/{experiment}/logs/estimate.log",
    benchmark:
        "results/{experiment}/benchmarks/estimate.tsv"
    conda:
        "../envs/odeflow.yaml"
    threads: workflow.cores
    params:
        spec=spec_of("estimate"),
        stage=stage_of("estimate"),
    script:
        "../scripts/estimate.py"
