"""Which functions are taken for the same, so that nothing is compiled again or stale."""

from functools import partial
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
