"""What is solved: the model, the problem and its lanes, methods, status, metrics of the loop.

`transforms` make one problem of another (doses, stops, sensitivities, invariants, switches);
`conditions` find in a model's own program where it decides something by time or by state. No engine
is known here, no result, and no stage.
"""
