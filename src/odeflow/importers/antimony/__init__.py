"""Antimony: its text, what of it may not leave the study, and the SBML that is made of it.

What SBML means is for `importers.sbml`.
"""
