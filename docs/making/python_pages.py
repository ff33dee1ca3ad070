"""Reference pages of the public Python functions and classes, from their docstrings."""

import odeflow

#: Where each public name is defined, and which of its members are shown.
_OF_CLASSES = {
    "Config": "[study, is_verified, plain_doses, in_study, slice]",
    "ConfigError": "[]",
    "Status": "[is_failure]",
}


def python_pages() -> dict[str, str]:
    """The pages, by their place in the site: one for each name of `odeflow.__all__`."""
    names = sorted(odeflow.__all__, key=lambda name: (name != name.lower(), name))
    pages = {"reference/python/index.md": _index(names)}
    return pages | {page_of(name): _page(name) for name in names}


def page_of(name: str) -> str:
    """The place of a public name's page."""
    return f"reference/python/{name.strip('_')}.md"


def _index(names: list[str]) -> str:
    rows = [f"| [`odeflow.{name}`]({name.strip('_')}.md) | {_first_line(name)} |" for name in names]
    table = "\n".join(["| name | what it is |", "|---|---|", *rows])
    return f"# Python\n\nWhat `import odeflow` has.\n\n{table}\n\n{_MORE}"


_MORE = """\
Three doors lead into one engine room: the command `odeflow`, the function `odeflow.run` for a
config, and `odeflow.ensemble_solve` for Diffrax's own objects. Numbers come as NumPy arrays or
xarray datasets; an import sets nothing global.

```python
import odeflow

cfg = odeflow.compose("experiment=robertson", "solver.rtol=1e-8")
ds = odeflow.run(cfg)
```

What is not on this page is not part of the interface and may change between versions.
"""


def _first_line(name: str) -> str:
    if name == "__version__":
        return "The version, as text."
    text = (getattr(odeflow, name).__doc__ or "").strip()
    return text.split("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def _page(name: str) -> str:
    if name == "__version__":
        return (
            "# `odeflow.__version__`\n\nThe version of the package, as text: "
            f"`{odeflow.__version__}` here. It is an attribute of every dataset, too "
            "(`odeflow_version`), beside those of the packages that computed it.\n"
        )
    home = odeflow._HOMES.get(name) or getattr(odeflow, name).__module__
    members = _OF_CLASSES.get(name)
    lines = ["---", f"title: odeflow.{name}", "---", "", f"::: {home}.{name}", "    options:"]
    lines += [f"      heading: odeflow.{name}"]
    if members is not None:
        lines += [f"      members: {members}"]
    return "\n".join(lines) + "\n"
