"""Whether a result can be believed: solved again by other means, diagnosed, judged, reproduced.

Nothing that checks a number shares the code, the schedule or the differentiation that made it, so
the engines are not used by `verification`; `reproduce` uses them, to make the same bytes again.
"""
