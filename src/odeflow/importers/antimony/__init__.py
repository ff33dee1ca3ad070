"""Antimony: its text, what of it may not leave the study, and the SBML that the library makes of it."""
