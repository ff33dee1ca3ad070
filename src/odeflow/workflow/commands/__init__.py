"""The commands of `odeflow`, one file each: what a command line says, and who does it.

A command adds its parser by `add`, and imports what it needs when it runs, so that `--help` is
quick and a command works where another one's packages are missing. What is done is not done here,
but for `new`, which writes a first study.
"""
