# The user's functions, traced before the first chunk: a mistake is one line, and not one a chunk.
rule check_model:
    output:
        facts="results/chunks/{digest}/model.txt",
    log:
        "results/chunks/{digest}/model.log",
    benchmark:
        "results/chunks/{digest}/model.tsv"
    group:
        "pilot"
    conda:
        "../envs/odeflow.yaml"
    params:
        spec=model_spec,
    script:
        "../scripts/check_model.py"
