"""Clocks, which Python audits nothing of: which of the user's lines reads one.

The functions of `time` are wrapped. The classes of `datetime` cannot be, since compiled packages
check their size: what is called as theirs are is found in the text.
"""

from __future__ import annotations

import ast
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from odeflow.provenance.observed.watch import ReadWatch

CLOCK = "reads the clock"
#: Methods of `datetime.datetime`, `datetime.date` and `pandas.Timestamp`.
_METHODS = {"now", "utcnow", "today"}


def watch_clocks(watch: ReadWatch) -> None:
    """Tells the watch of every user's line that asks `time` what time it is."""
    for name in ("time", "time_ns"):
        setattr(time, name, _telling(getattr(time, name), watch))
    for name in ("localtime", "gmtime", "ctime", "strftime"):
        most = 1 if name == "strftime" else 0  # without a time, that of the clock
        setattr(time, name, _telling(getattr(time, name), watch, most))


def _telling(function: Callable[..., Any], watch: ReadWatch, most: int | None = None) -> Any:
    def called(*args: Any) -> Any:
        if watch.is_on and (most is None or len(args) <= most):
            watch.without_echo(watch.reads_beyond, CLOCK, sys._getframe(1))
        return function(*args)

    return called


def clock_lines(tree: ast.Module) -> Iterator[int]:
    """Lines of a module that call what looks like `datetime.now()`, with one argument at most."""
    for node in ast.walk(tree):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr in _METHODS:
            given = [*node.args, *node.keywords] if isinstance(node, ast.Call) else []
            if len(given) < 2:
                yield called.lineno
