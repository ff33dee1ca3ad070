"""What Snakemake runs: the plan, its chunks and stages, who owns a folder, what may be removed.

Stages are typed functions that read files and write files; scripts and rules call them, and so can
a notebook. What is in the files is not decided here.
"""
