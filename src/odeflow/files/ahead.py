"""An iterator whose next item is made while the one before is worked on."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The items in order, each made in another thread; what that raises is raised here."""
    source = iter(items)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(_next, source)
        while item := coming.result():
            coming = pool.submit(_next, source)
            yield item[0]


def _next(source: Iterator[T]) -> tuple[T] | None:
    for item in source:
        return (item,)
    return None
