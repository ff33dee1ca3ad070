"""What makes pages of the documentation from the code: keys, commands, statuses, public functions.

`hook.py` hands them to MkDocs, with pages of the repository that lie outside of `docs/`. Nothing here
is imported by the package.
"""
