"""Serving the page of `odeflow explore`, and reaching into its elements."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.browser import Page

#: Elements are in shadow roots, which selectors do not look into.
_FIND = """const all = (root, selector, found = []) => {
  for (const one of root.querySelectorAll('*')) {
    if (one.matches(selector)) found.push(one);
    if (one.shadowRoot) all(one.shadowRoot, selector, found);
  }
  return found;
};"""


def deep(expression: str) -> str:
    """JavaScript in which `all(document, selector)` finds elements wherever they are."""
    return f"(() => {{ {_FIND} return {expression}; }})()"


#: The first curve that is solved, as numbers; null before there is one.
SOLVED = """(() => {
  const known = window.Bokeh?.documents?.[0]?._all_models?.values() ?? [];
  const sources = [...known].filter(one => one.name === 'solved' && one.data.ys.length);
  return sources.length ? Array.from(sources[0].data.ys[0]) : null;
})()"""
#: The line below the pictures.
SAID = deep("all(document, 'output')[0]?.textContent ?? null")


@contextmanager
def live(study: Path, results: str, *flags: str) -> Iterator[str]:
    """The address of a page that is served while the block runs."""
    command = [sys.executable, "-m", "odeflow", "explore", results, "--no-browser", *flags]
    process = subprocess.Popen(
        command, cwd=study, env=os.environ, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line.startswith("http://localhost:"), line + process.stdout.read()
        yield line
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()


def wait(page: Page, condition: str, limit: float = 30.0) -> None:
    """Waits until an expression of JavaScript is true."""
    end = time.monotonic() + limit
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"never true: {condition}; {page.complaints}"
        time.sleep(0.01)


def click(page: Page, words: str) -> bool:
    """Clicks the button with these words; false where there is none."""
    button = f"all(document, 'button').find(one => one.textContent.trim() === {words!r})"
    return bool(page.evaluate(deep(f"(one => one ? (one.click(), true) : false)({button})")))


def move(page: Page, number: int, place: int) -> Any:
    """Moves a slider, as a hand does."""
    slider = f"all(document, 'input[type=range]')[{number}]"
    return page.evaluate(
        deep(
            f"(one => {{ one.value = {place}; one.dispatchEvent(new Event('input')); }})({slider})"
        )
    )
