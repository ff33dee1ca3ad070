"""The templates, styles and scripts of the live page, as text.

They lie beside this file, and not among those of the pages of results, which would have to be
written again where one of these changes.
"""

from pathlib import Path

_HERE = Path(__file__).with_name("templates")


def template_text(name: str) -> str:
    """A file of `templates/` as it stands."""
    return (_HERE / name).read_text(encoding="utf-8")


def common_style() -> str:
    """The style of all pages."""
    return (_HERE.parent.parent / "templates" / "style.css").read_text(encoding="utf-8")
