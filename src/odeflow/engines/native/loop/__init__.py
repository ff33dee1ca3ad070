"""The loop over lanes around a step: refilling, saving, reducing metrics, restarts and crossings.

It is written once for all methods and targets.
"""
