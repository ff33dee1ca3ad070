"""States that start below their tolerance: said before anything is solved, and on the page."""

from odeflow.config.small_states import small_state_notes
from odeflow.importers.study.compose import compose


def notes(*overrides: str) -> list[str]:
    return small_state_notes(compose(*overrides))


def test_a_state_below_its_tolerance_is_named():
    (note,) = notes("model.states.enzyme.initial=4e-12")
    assert note.startswith("solver.atol: 1e-08 is above the initial value of enzyme, 4e-12, so")
    assert "give it 1e-18 or less" in note
    assert notes("model.states.enzyme.initial=4e-12", "solver.atol=1e-18") == []
    per_state = "solver.atol={substrate:1e-8,enzyme:1e-18}"
    assert notes("model.states.enzyme.initial=4e-12", per_state) == []


def test_zero_constant_steps_and_axes_say_nothing():
    assert notes("model.states.enzyme.initial=0") == []
    small = "model.states.enzyme.initial=4e-12"
    assert notes(small, "solver=euler", "solver.dt0=0.1") == []
    assert notes(small, "design.axes.enzyme={linspace:[0.1,1,3]}") == []
