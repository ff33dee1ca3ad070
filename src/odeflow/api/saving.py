"""Diffrax's `SaveAt`: which times are saved, and what of the state."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import diffrax
import numpy as np
from jax.core import Tracer

from odeflow.api.refusal import NoCounterpartError

#: A time that a single-precision `SaveAt` has rounded is still within the span.
_ROUNDED = 4 * float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Saving:
    """What is saved: `t0`, then the `ts`, then `t1`; and of the state all, or what
    `fn(t, y, args)` gives. `number_of_ts` is None where no `ts` are given.
    """

    number_of_ts: int | None
    t0: bool
    t1: bool
    fn: Callable[..., Any] | None

    @property
    def ends_only(self) -> bool:
        """Whether the end of each trajectory is all that is saved."""
        return self.t1 and not self.t0 and self.number_of_ts is None

    @property
    def number(self) -> int:
        """How many times are saved."""
        return (self.number_of_ts or 0) + self.t0 + self.t1


def saving_of(saveat: Any, has_event: bool) -> tuple[Saving, Any]:
    """What a `SaveAt` asks for, and its `ts`, which are traced where they are known to JAX only.

    Raises NoCounterpartError that names what there is not.
    """
    if not isinstance(saveat, diffrax.SaveAt):
        raise TypeError(f"saveat: a diffrax.SaveAt is needed, found {type(saveat).__name__}")
    for name in ("dense", "solver_state", "controller_state", "made_jump"):
        if getattr(saveat, name):
            raise NoCounterpartError(f"SaveAt({name}=True)", "save values at times, SaveAt(ts=...)")
    sub = saveat.subs
    if not isinstance(sub, diffrax.SubSaveAt):
        raise NoCounterpartError(
            "SaveAt(subs=...) with several", "let `fn` give a pytree of all that is wanted"
        )
    if sub.steps:
        raise NoCounterpartError(
            "SaveAt(steps=...)", "save values at times, SaveAt(ts=...): steps differ by trajectory"
        )
    if has_event and sub.t1 and (sub.t0 or sub.ts is not None):
        raise NoCounterpartError(
            "SaveAt(t1=True) beside other times with an event", "save the end alone, or times alone"
        )
    ts, fn = sub.ts, None if sub.fn is _SAVES_ALL else sub.fn
    ts = ts if ts is None or isinstance(ts, Tracer) else np.asarray(ts)
    return Saving(None if ts is None else len(ts), bool(sub.t0), bool(sub.t1), fn), ts


#: What Diffrax takes for `fn` where none is given.
_SAVES_ALL = diffrax.SaveAt(t1=True).subs.fn  # type: ignore[union-attr]


def saved_times(
    saving: Saving, t0: float, t1: float, ts: Any
) -> tuple[tuple[float, ...] | None, np.ndarray | None]:
    """The increasing times that an engine saves, and which of them each saved time is.

    Both are None where only the end is saved. `ts` are those of the `SaveAt`, if it has any.

    Raises ValueError where they decrease, are not numbers, or are outside of the span.
    """
    if saving.ends_only:
        return None, None
    ts = np.empty(0) if ts is None else np.asarray(ts)
    return _times(saving.t0, saving.t1, t0, t1, ts.dtype, ts.tobytes())


@lru_cache(maxsize=64)
def _times(
    has_t0: bool, has_t1: bool, t0: float, t1: float, dtype: np.dtype, data: bytes
) -> tuple[tuple[float, ...], np.ndarray | None]:
    """As `saved_times`, of the numbers of `ts`: worked out once."""
    ts = np.frombuffer(data, dtype)
    slack = _ROUNDED * max(abs(t0), abs(t1)) if ts.dtype == np.float32 else 0.0
    ts = ts.astype(float)
    if np.isnan(ts).any():
        raise ValueError("SaveAt(ts=...): a time is not a number")
    if (np.diff(ts) < 0).any():
        place = int(np.argmax(np.diff(ts) < 0))
        raise ValueError(
            f"SaveAt(ts=...): times have to increase; {ts[place + 1]:g} follows {ts[place]:g}"
        )
    outside = ts[(ts < t0 - slack) | (ts > t1 + slack)]
    if outside.size:
        raise ValueError(
            f"SaveAt(ts=...): {outside[0]:g} is outside of the span from t0={t0:g} to t1={t1:g}"
        )
    ts = np.clip(ts, t0, t1)
    wanted = np.concatenate([[t0] * has_t0, ts, [t1] * has_t1])
    times, place = np.unique(wanted, return_inverse=True)
    exact = len(times) == len(wanted)
    return tuple(times.tolist()), None if exact else place
