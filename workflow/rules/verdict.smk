# The last job: fails where something speaks against the results, after all of them are written.
rule verdict:
    input:
        [experiment.targets for experiment in EXPERIMENTS.values()],
        verdict="results/{experiment}/verdict.json",
        mark=mark_of("verdict"),
    output:
        passed="results/{experiment}/logs/passed",
    log:
        "results/{experiment}/logs/verdict.log",
    localrule: True
    conda:
        "../envs/odeflow.yaml"
    params:
        stage=stage_of("verdict"),
    script:
        "../scripts/verdict.py"
