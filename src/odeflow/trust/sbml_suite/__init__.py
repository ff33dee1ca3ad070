"""Runs cases of the SBML Test Suite (semantic, deterministic):
`python -m odeflow.trust.sbml_suite`.

Reference: https://github.com/sbmlteam/sbml-test-suite
"""
