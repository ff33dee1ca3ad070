"""docs/methods.md, from the registry: `python -m tests.support.methods_page > docs/methods.md`."""

from odeflow.problem.methods import METHODS, Method
from tests.support.snakes import PROJECT

PAGE = PROJECT / "docs" / "methods.md"

_HEAD = """# Methods

Written by `python -m tests.support.methods_page` from the registry, `src/odeflow/problem/methods/`,
where config and both engines read which methods there are. `solver=NAME` chooses one; rtol 1e-6 and
atol 1e-8 are the defaults of all of them. Where the native engine does not have a method, Diffrax
steps by it.

| `solver=` | order | for | stages | native | method |
| --- | --- | --- | --- | --- | --- |
"""
_STAGES = {
    "explicit": "explicit",
    "esdirk": "root finds",
    "rosenbrock": "linear solves",
    "taylor": "recurrences",
    "stabilised": "as many as needed",
    "other": "explicit",
}


def page() -> str:
    """The text of the page."""
    rows = "".join(_row(method) for method in METHODS.values())
    references = "".join(f"- `{method.name}`: {method.citation}.\n" for method in METHODS.values())
    return f"{_HEAD}{rows}\n## References\n\n{references}"


def _row(method: Method) -> str:
    native = "no" if not method.native else "yes" if method.in_diffrax else "alone"
    cells = (
        f"`{method.name}`", str(method.order), method.advice, _STAGES[method.family], native,
        method.summary,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    print(page(), end="")
