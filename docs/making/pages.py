"""The generated pages, by their place in the site."""

from docs.making.command_pages import command_pages
from docs.making.config_pages import config_pages
from docs.making.python_pages import python_pages


def generated_pages() -> dict[str, str]:
    """The Markdown of each page that is made from the code, in the order of the navigation."""
    return {**config_pages(), **python_pages(), **command_pages()}
