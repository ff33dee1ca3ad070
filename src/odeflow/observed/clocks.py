"""Clocks, which Python audits nothing of: wrapped, so that the line that reads one is known."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Callable
from typing import Any

from odeflow.observed.watch import Watch

_CLOCK = "the clock"


def watch_clocks(watch: Watch) -> None:
    """Tells the watch of every line of the user's that asks what time or date it is."""
    for name in ("time", "time_ns"):
        setattr(time, name, _telling(getattr(time, name), watch))
    for name in ("localtime", "gmtime", "ctime", "strftime"):
        most = 1 if name == "strftime" else 0  # without a time, that of the clock
        setattr(time, name, _telling(getattr(time, name), watch, most))
    own = datetime.datetime, datetime.date
    datetime.datetime = _datetime(watch, *own)  # type: ignore[misc]
    datetime.date = _date(watch, own[1])  # type: ignore[misc]


def _note(watch: Watch, depth: int = 2) -> None:
    if watch.is_on:
        watch.without_echo(watch.reads_beyond, _CLOCK, sys._getframe(depth))


def _telling(function: Callable[..., Any], watch: Watch, most: int | None = None) -> Any:
    def called(*args: Any) -> Any:
        if most is None or len(args) <= most:
            _note(watch)
        return function(*args)

    return called


def _kind_of(own: type) -> type:
    """So that what is made by the class itself, in C, counts as one of its wrapped kind."""

    class Kind(type):
        def __instancecheck__(cls, value: Any) -> bool:
            return isinstance(value, own)

    return Kind


def _datetime(watch: Watch, own: Any, _: Any) -> Any:
    class datetime(own, metaclass=_kind_of(own)):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            _note(watch)
            return own.now(tz)

        @classmethod
        def today(cls) -> Any:
            _note(watch)
            return own.today()

        @classmethod
        def utcnow(cls) -> Any:
            _note(watch)
            return own.now(own_utc).replace(tzinfo=None)

    own_utc = sys.modules["datetime"].timezone.utc
    return datetime


def _date(watch: Watch, own: Any) -> Any:
    class date(own, metaclass=_kind_of(own)):
        @classmethod
        def today(cls) -> Any:
            _note(watch)
            return own.today()

    return date
