"""MkDocs' hook: pages from the code and from outside of `docs/`, links, the navigation."""

from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docs.making.links import with_site_links
from docs.making.navigation import expanded
from docs.making.pages import generated_pages
from docs.making.repository import OUTSIDE, ROOT, pictures
from docs.making.status_pages import filled

_generated: dict[str, str] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Makes the pages, and puts those of folders into the navigation."""
    _generated.update(generated_pages())
    if config.nav is not None:
        config.nav = expanded(config.nav, list(_generated))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are not in `docs/`."""
    outside = {page: (ROOT / source).read_text("utf-8") for page, source in OUTSIDE.items()}
    for place, text in {**_generated, **outside}.items():
        files.append(File.generated(config, place, content=text))
    for place, picture in pictures(outside).items():
        files.append(File.generated(config, place, abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Fills in what comes from the code, and has links lead to pages of the site."""
    place = page.file.src_uri
    return with_site_links(place, filled(page.file.name, markdown))
