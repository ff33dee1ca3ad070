"""Runs cases of the SBML Test Suite (semantic, deterministic), in separate processes.

The command is `python -m odeflow.trust.sbml_suite`.

Reference: https://github.com/sbmlteam/sbml-test-suite
"""
