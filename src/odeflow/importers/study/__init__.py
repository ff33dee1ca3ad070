"""The study's own files become one checked config: YAML by Hydra, and what it names filled in.

On top of `config` and `design`, since it knows all formats: it is what `odeflow.compose` is.
"""
