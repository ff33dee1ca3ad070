# The experiments that `compare` names, side by side on one page.
if COMPARED:

    rule compare:
        input:
            ensembles=[e.ensemble for e in COMPARED],
            summaries=[f"results/{e.name}/summary.nc" for e in COMPARED],
            mark=mark(COMPARISON.folder, COMPARISON.rule),
        output:
            page=report(
                update(comparison_file(COMPARED)),
                caption="../report/compare.rst",
                category="compare",
                labels={"page": "comparison"},
            ),
        log:
            "results/compare/logs/compare.log",
        benchmark:
            "results/compare/benchmarks/compare.tsv"
        conda:
            "../envs/odeflow.yaml"
        params:
            specs=[e.stage_spec("compare") for e in COMPARED],
            stage=COMPARISON.as_data(),
        script:
            "../scripts/compare.py"
