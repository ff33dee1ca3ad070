"""Pages and figures: what people look at.

`figures` has a file for each kind of figure, `overview` and `comparison` are HTML pages. All are
drawn from files of results: no engine is imported, nothing is solved and nothing judged.
"""
