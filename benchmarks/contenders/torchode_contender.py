"""torchode: trajectories of a batch in PyTorch, each with steps of its own, by Tsit5."""

from typing import Any

import numpy as np

from benchmarks.fields import scalar_field

LABEL = "torchode, Tsit5"
SERIAL = False
SIZED = False


def refuses(case: Any) -> str | None:
    """Why this cannot run a case."""
    import torchode  # noqa: F401 # type: ignore

    if case.stiff or getattr(case, "doses", ()):
        return "it has explicit methods only" if case.stiff else "it has no doses"
    return None


def build(case: Any, size: int, cores: int) -> Any:
    import torch  # type: ignore
    import torchode  # type: ignore

    torch.set_num_threads(cores)
    field = scalar_field(case.model_name)

    def vector_field(t, y, args):
        return torch.stack(field(t, y.unbind(1), args), dim=1)

    term = torchode.ODETerm(vector_field, with_args=True)
    method = torchode.Tsit5(term=term)

    def solve(lanes, scale):
        controller = torchode.IntegralController(
            atol=case.atol * scale, rtol=case.rtol * scale, term=term
        )
        solver = torchode.AutoDiffAdjoint(method, controller)
        times = np.unique(np.append(float(case.model.declared.t0), case.times))
        problem = torchode.InitialValueProblem(
            y0=torch.tensor(np.ascontiguousarray(lanes.y0.T)),
            t_eval=torch.tensor(times).repeat(lanes.size, 1),
        )
        with torch.inference_mode():
            ys = solver.solve(problem, args=torch.tensor(np.array(lanes.args)).unbind(0)).ys
        return ys.numpy()[:, len(times) - len(case.times) :]

    solve(case.lanes(2), 1000.0)
    return solve


def values(case: Any, solution: Any) -> np.ndarray:
    return solution
