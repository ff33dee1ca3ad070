"""STUB."""


def figure_kinds(config):
    return ["time_courses", "heat_map"]
