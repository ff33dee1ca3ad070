"""What a user's model really reads: seen once, in a separate process, then hashed at each plan.

`watch.py`, `clocks.py` and `notify.py` see it while `__main__.py` imports and traces the model;
`places.py` says whose code a file is, and `seen.py` what of it counts. `things.py` says what each
thing is now, `manifest.py` keeps the list beside the results: planning needs these two, which
import neither JAX nor anything of the study.
"""
