"""Checks of what `summary` asks for by time: within the time span, and of variables in it."""

from odeflow.config.root import Config
from odeflow.config.saved_times import save_times
from odeflow.config.summary import FOLLOWED
from odeflow.files.errors import ConfigError
from odeflow.problem.time_text import shown_time


def check_followed(config: Config) -> None:
    """Raises ConfigError, one line, for a metric that could have no value."""
    summary = config.summary
    for key in FOLLOWED:
        for variable, records in getattr(summary, key).items():
            where = f"summary.{key}.{variable}"
            if summary.variables is not None and variable not in summary.variables:
                raise ConfigError(
                    f"{where}: summary.variables leaves {variable} out; add it there, or leave "
                    "that null"
                )
            for one in records:
                if hasattr(one, "window"):
                    _check_window(config, where, *one.window)
                if key == "value_at":
                    _check_time(config, where, one.time)
    for variable, slopes in summary.slope.items():
        for last in (one.last for one in slopes if one.last is not None):
            saved = 0 if config.saveat.ts is None else len(save_times(config))
            if saved < last:
                raise ConfigError(
                    f"summary.slope.{variable}.last: {saved} times are saved, not {last}; save "
                    "more by saveat.ts, or give from and to, which need none"
                )


def _check_window(config: Config, where: str, start: float, end: float) -> None:
    t0, t1 = config.model.t0, config.model.t1
    if start >= t1 or end <= t0:
        key, time = (f"{where}.from", start) if start >= t1 else (f"{where}.to", end)
        raise ConfigError(
            f"{key}: {shown_time(time, t0, t1)} leaves nothing of the model's time span "
            f"[{shown_time(t0, t1)}, {shown_time(t1, t0)}]"
        )


def _check_time(config: Config, where: str, time: float) -> None:
    t0, t1 = config.model.t0, config.model.t1
    if not t0 <= time <= t1:
        raise ConfigError(
            f"{where}: {shown_time(time, t0, t1)} is outside the model's time span "
            f"[{shown_time(t0, t1)}, {shown_time(t1, t0)}]"
        )
