"""What a run says of itself on the terminal: why something is done again, and what has come of it.

Plain text, which the Snakefile hands to Snakemake's logger. How it is shown is decided there: by the
plugin `snakemake_logger_plugin_odeflow`, of which nothing here knows, or by Snakemake itself. No
stage, no engine and no dataset is imported here: it is said where a run is planned.
"""
