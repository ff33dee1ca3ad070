"""The stages of a step where lanes differ in their number: a loop before `step`."""

from collections.abc import Callable
from dataclasses import dataclass

from odeflow.engines.native.loop.peak_queue import loop_function
from odeflow.engines.native.methods.stepper import Start, Stepper
from odeflow.engines.native.program.lane_program import LaneBuilder, LaneProgram
from odeflow.problem.problem import Problem


@dataclass(frozen=True)
class LaneStages:
    """The functions of a method's `Stages`, if it has any; `start` is that of a lane's step."""

    problem: Problem
    stepper: Stepper
    start: Callable[[LaneBuilder], Start]

    def programs(self) -> list[LaneProgram]:
        """`begin_stages`, and one for each pass."""
        stages = self.stepper.stages
        if stages is None:
            return []
        doc = "A stage of each lane that has one to do; a mask of those that have more."
        programs = []
        for name, stage in zip(["begin_stages", *self._passes()], [stages.begin, *stages.passes]):
            b = LaneBuilder(self.problem.dtype)
            more = stage(self.start(b)) & (b.row("active") > 0.0)
            programs.append(b.finished(name, "all", doc, more))
        return programs

    def source(self) -> str:
        """The function `take_stages` of the loop: until no lane has one to do."""
        lines = ['"""The stages of a step, as many as the lane with the most has."""']
        if self.stepper.stages is not None:
            *calls, last = (f"{name}(rows, settings, 0)" for name in self._passes())
            lines += ["more = begin_stages(rows, settings, 0)", "while more != 0:"]
            lines += [*(f"    {call}" for call in calls), f"    more = {last}"]
        else:
            lines.append("pass")
        return loop_function("take_stages(rows, settings)", lines)

    def _passes(self) -> list[str]:
        stages = self.stepper.stages
        return [f"stage{number}" for number in range(len(stages.passes))] if stages else []
