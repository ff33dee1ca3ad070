"""What a run says of itself on the terminal: why something is done again, and what has come of it.

Plain text, which the Snakefile hands to Snakemake's logger. How it is shown is decided there: by
the plugin `snakemake_logger_plugin_odeflow`, which nothing here imports, or by Snakemake itself.
No stage and no engine is imported here: it is said where a run is planned.
"""
