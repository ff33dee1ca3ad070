"""The page of `odeflow explore`: an experiment's results, and new trajectories beside them.

What is chosen (`selection.py`), read (`stored.py`) and drawn (`views.py`) knows no browser; the
page alone knows Panel and Bokeh. Nothing is solved here: what solves is handed in as a function.
"""
