# Fails the run, after everything is written, where more trajectories failed than runtime.max_failed.
rule check_failures:
    input:
        ensemble=ensemble_of,
        failures="results/{experiment}/failures.csv",
        everything=[experiment.targets for experiment in EXPERIMENTS.values()],
    output:
        fraction="results/{experiment}/failed_fraction.txt",
    log:
        "results/{experiment}/logs/check_failures.log",
    conda:
        "../envs/odeflow.yaml"
    params:
        spec=spec_of("check_failures"),
    script:
        "../scripts/check_failures.py"
