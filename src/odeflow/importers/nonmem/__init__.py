"""Data sets of NONMEM's layout: records of doses and observations as a design.

What stands in the file goes into the config as numbers, so that all else knows of no file.
"""
