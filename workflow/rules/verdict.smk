# The last job: fails where something speaks against the results, after all of them are written.
rule verdict:
    input:
        [experiment.targets for experiment in EXPERIMENTS.values()],
        verdict="results/{experiment}/verdict.json",
    output:
        touch("results/{experiment}/logs/passed"),
    log:
        "results/{experiment}/logs/verdict.log",
    localrule: True
    conda:
        "../envs/odeflow.yaml"
    script:
        "../scripts/verdict.py"
