"""Figures on a page: embedded as they were drawn, with captions that say what they are of."""

import base64
import re
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from odeflow.config.root import Config
from odeflow.report.captions import MESSAGE, figure_caption

#: What a new reader looks at first: the data or courses, then what a metric or a parameter does.
_KEY = (("measurements", "predictive", "best_fit", "time_courses"),
        ("heat_map", "metric_scatter", "estimates", "sensitivity_indices"))  # fmt: skip
#: CSS pixels; those of several panels are wider, and take the page's width.
_COLUMN = 520
#: A vector figure above this is embedded as pixels, if there are such; bytes.
_LARGEST_VECTOR = 250_000
#: All figures of a page together; the rest is linked. Bytes before base64.
_LARGEST_ALL = 1_600_000
_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


class FigureFile(NamedTuple):
    """A file of a figure, as a page links to it."""

    address: str
    words: str


class PageFigure(NamedTuple):
    """A figure as a page shows it."""

    kind: str
    title: str
    caption: str
    uri: str
    width: int
    height: int
    files: list[FigureFile]

    @property
    def wide(self) -> bool:
        """Whether it takes the whole width."""
        return self.width > _COLUMN


def page_figures(
    config: Config, files: Sequence[Path]
) -> tuple[list[PageFigure], list[PageFigure]]:
    """The figures that a page begins with, and the others.

    Arguments:
        config: the experiment.
        files: figures of the experiment; a name is the kind, a suffix the format.

    Returns:
        Two at most for the beginning, and the rest in the order of the files. What says nothing, a
        line of text in place of a figure, is left out, and so is what no browser shows, a PDF.
    """
    kinds = dict.fromkeys(file.stem for file in files)
    shown, room = {}, _LARGEST_ALL
    own, (courses, effects) = list(config.plot.functions), _KEY
    groups = ((*own[:1], *courses), (*own[1:], *effects))  # the user's own are wanted most
    first = [kind for group in groups for kind in group if kind in kinds]
    for kind in dict.fromkeys([*first, *kinds]):
        these = [file for file in files if file.stem == kind]
        embedded = _embedded(these)
        if embedded is None or len(data := embedded.read_bytes()) > room:
            continue
        size = _size(data, embedded.suffix[1:])
        if size is None:
            continue
        room -= len(data)
        uri = f"data:{_TYPES[embedded.suffix[1:]]};base64,{base64.b64encode(data).decode()}"
        links = [FigureFile(f"figures/{file.name}", file.suffix[1:].upper()) for file in these]
        title = kind.replace("_", " ").capitalize()
        shown[kind] = PageFigure(kind, title, _caption(config, kind, title), uri, *size, links)
    key = [next((kind for kind in group if kind in shown), None) for group in groups]
    return (
        [shown[kind] for kind in key if kind],
        [shown[kind] for kind in kinds if kind in shown and kind not in key],
    )


def _caption(config: Config, kind: str, title: str) -> str:
    """The caption without its title, which stands before it."""
    text = figure_caption(config, kind).removeprefix(f"{title}: ")
    return text if text.startswith("n = ") else text[:1].upper() + text[1:]


def _embedded(files: Iterable[Path]) -> Path | None:
    """The file to show: vectors, unless they are many and there are pixels."""
    by_suffix = {file.suffix[1:]: file for file in files}
    vector, pixels = by_suffix.get("svg"), by_suffix.get("png")
    if vector and pixels and vector.stat().st_size > _LARGEST_VECTOR:
        return min(vector, pixels, key=lambda file: file.stat().st_size)
    return vector or pixels


def _size(data: bytes, kind: str) -> tuple[int, int] | None:
    """Width and height in CSS pixels; None of a picture of one line of text."""
    if kind == "png":
        width, height = struct.unpack(">II", data[16:24])
        found = (width, height) if width < 1100 else (width // 2, height // 2)
        return None if MESSAGE.encode() in data[:2000] else found
    head = data[:3000].decode(errors="replace")
    if MESSAGE in head:
        return None
    found = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', head)
    if found is None:
        return None
    width, height = (round(float(x) * 4 / 3) for x in found.groups())
    return width, height
