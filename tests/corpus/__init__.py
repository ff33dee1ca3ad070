"""What the native engine gave, case by case: every change of it is held against that.

`python -m tests.corpus` compares, see README.md here.
"""
