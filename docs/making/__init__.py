"""What makes pages of the documentation from the code: keys, commands, statuses, functions.

`hook.py` hands them to MkDocs, with pages of the repository that lie outside of `docs/`. The
package imports nothing of it.
"""
