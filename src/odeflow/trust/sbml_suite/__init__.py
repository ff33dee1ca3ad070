"""Runs cases of the SBML Test Suite (semantic, deterministic), in processes of their own.

The command is `python -m odeflow.trust.sbml_suite`.

Reference: https://github.com/sbmlteam/sbml-test-suite
"""
