"""Which functions are taken for the same, so that nothing is compiled again or stale."""

from functools import partial
from types import SimpleNamespace
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.api.same import Same


def rate(scale: float, more: Any = None) -> Any:
    return lambda t, y, args, factor=scale: -scale * y * factor * (more is None)


class Field(eqx.Module):
    matrix: Any

    def __call__(self, t: Any, y: Any, args: Any) -> Any:
        return self.matrix @ y

    def slow(self, t: Any, y: Any, args: Any) -> Any:
        return y


def test_the_same_code_with_the_same_contents():
    here = [lambda t, y, args: y for _ in range(2)]
    assert Same(here[0]) == Same(here[1])
    assert Same(rate(2.0)) == Same(rate(2.0))
    assert hash(Same(rate(2.0))) == hash(Same(rate(2.0)))
    array = np.ones(3)
    assert Same(rate(2.0, array)) == Same(rate(2.0, array))
    assert Same(partial(rate, 1.0, more=2)) == Same(partial(rate, 1.0, more=2))
    field = Field(jnp.eye(2))
    assert Same(field) == Same(field)
    assert Same(field.slow) == Same(field.slow)


def test_other_contents_are_another_function():
    assert Same(rate(2.0)) != Same(rate(3.0))
    assert Same(rate(0.0)) != Same(rate(-0.0))
    assert Same(rate(1)) != Same(rate(1.0))  # type: ignore[arg-type]
    assert Same(rate(2.0, np.ones(3))) != Same(rate(2.0, np.ones(3)))
    assert Same(partial(rate, 1.0)) != Same(partial(rate, 2.0))
    assert Same(partial(rate, scale=1.0)) != Same(partial(rate, "scale", 1.0))  # type: ignore[arg-type]
    assert Same(Field(jnp.eye(2)).slow) != Same(Field(jnp.eye(2)).slow)


def test_what_is_closed_over_may_change():
    number = 1.0

    def field(t: Any, y: Any, args: Any) -> Any:
        return number * y

    before = Same(field)
    number = 2.0
    assert Same(field) != before


FACTOR = 1.0


def helper(y: Any) -> Any:
    return FACTOR * y


def by_helper(t: Any, y: Any, args: Any) -> Any:
    return helper(y) if t < 1 else by_helper(t - 1, y, args)


def test_a_global_may_change(monkeypatch: pytest.MonkeyPatch):
    """As where the cells of a notebook run again: the functions have the code that they had."""
    before = Same(by_helper)
    assert Same(by_helper) == before
    monkeypatch.setitem(globals(), "FACTOR", 2.0)
    assert Same(by_helper) != before
    monkeypatch.undo()
    assert Same(by_helper) == before
    monkeypatch.setitem(globals(), "helper", lambda y: y)
    assert Same(by_helper) != before


def test_functions_that_close_over_themselves():
    def outer() -> Any:
        def again(t: Any) -> Any:
            return again(t - 1) if t else later

        key = Same(again)  # `later` has no value yet
        later = 1.0
        return key, Same(again)

    first, second = outer()
    assert first != second
    assert not first.lasts
    assert second.lasts


def test_a_key_lasts_until_what_it_reads_is_replaced(monkeypatch: pytest.MonkeyPatch):
    number = 1.0

    def field(t: Any, y: Any, args: Any, factor: float = 1.0) -> Any:
        return number * factor * helper(y)

    key = Same(field)
    assert key.lasts
    number = 2.0
    assert not key.lasts
    number = 1.0
    key = Same(field)
    for name, value in (("FACTOR", 2.0), ("helper", lambda y: y), ("number", 3.0)):
        with monkeypatch.context() as patch:
            patch.setitem(globals(), name, value)
            assert key.lasts == (name == "number")  # which is closed over
        assert key.lasts
    field.__defaults__ = (2.0,)
    assert not key.lasts
    key = Same(field)
    monkeypatch.setattr(helper, "__code__", (lambda y: y + 1).__code__)
    assert not key.lasts


def test_a_name_that_was_not_there_may_come(monkeypatch: pytest.MonkeyPatch):
    """Before, it was one of Python's own."""
    key = Same(lambda t, y, args: abs(y))
    assert key.lasts
    monkeypatch.setitem(globals(), "abs", lambda y: y)
    assert not key.lasts


class Settings:
    """Of this module, and not frozen."""

    def __init__(self) -> None:
        self.rate, self.of = 1.0, {"prey": [1.0, 2.0]}

    def slow(self, t: Any, y: Any, args: Any) -> Any:
        return self.rate * y


def _changed_array(held: Any) -> None:
    held[1] = -0.0


def _changed_list(held: Any) -> None:
    held[0]["k"] = 2.0


def _changed_object(held: Any) -> None:
    held.of["prey"][1] = 3.0


@pytest.mark.parametrize(
    "held, change",
    [
        (np.zeros(20_000)[::2], _changed_array),
        ([{"k": 1.0}], _changed_list),
        (Settings(), _changed_object),
        (SimpleNamespace(of={"prey": [0.0, 1.0]}), _changed_object),
    ],
    ids=["an array", "a list", "an object", "a namespace"],
)
def test_what_changes_and_stays_one_object_is_another_function(held: Any, change: Any):
    def field(t: Any, y: Any, args: Any) -> Any:
        return held, y

    key = Same(field)
    assert key == Same(field)
    assert not key.lasts
    change(held)
    assert Same(field) != key


def test_a_method_is_the_same_while_its_object_has_the_same_numbers():
    settings = Settings()
    key = Same(settings.slow)
    assert key == Same(settings.slow) != Same(Settings().slow)
    settings.rate = 2.0
    assert Same(settings.slow) != key


def test_a_list_may_hold_itself():
    held: list[Any] = [1.0]
    held.append(held)
    key = Same(lambda t, y, args: held[0] * y)
    held[0] = 2.0
    assert Same(lambda t, y, args: held[0] * y) != key


def test_what_is_changed_in_place_is_looked_at_each_time():
    part = partial(rate, scale=1.0)
    key = Same(part)
    assert not key.lasts
    part.keywords["scale"] = 2.0
    assert Same(part) != key

    def field(t: Any, y: Any, args: Any, *, factor: float = 1.0) -> Any:
        return factor * y

    assert not Same(field).lasts
    assert Same(Field(jnp.eye(2)).slow).lasts
