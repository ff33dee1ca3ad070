"""Whether people with impaired sight can read a page: by axe-core, or by its main rules.

axe-core (MPL 2.0) is not shipped: it is asked of the npm registry when tests run, and where there
is none the rules below stand in, which need nothing.
"""

import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path

from tests.support.browser import Page

_VERSION = "4.14.1"
#: What axe finds that people cannot get around.
_SERIOUS = ("serious", "critical")

#: In the page: text that is too pale on what is behind it, pictures and fields without a name,
#: headings that leave out a level, no landmark, no language.
_RULES = """(() => {
  const found = [];
  const channel = c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const numbers = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = c => .2126 * channel(c[0]) + .7152 * channel(c[1]) + .0722 * channel(c[2]);
  function behind(element) {
    for (; element; element = element.parentElement) {
      const c = numbers(getComputedStyle(element).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName)) continue;
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const [a, b] = [light(numbers(style.color)), light(behind(element))].sort((x, y) => y - x);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if ((a + .05) / (b + .05) < (large ? 3 : 4.5)) found.push(`contrast: ${text.slice(0, 40)}`);
  }
  for (const image of document.images) if (!image.alt) found.push("a picture without words");
  for (const field of document.querySelectorAll("input, select, button, canvas")) {
    const label = field.getAttribute("aria-label") || field.textContent.trim();
    if (!label && !field.labels?.length) found.push(`a field without a name: ${field.id}`);
  }
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) found.push(`a heading that leaves out a level: ${heading.textContent}`);
    level = own;
  }
  if (document.querySelectorAll("main").length !== 1) found.push("not one main landmark");
  if (document.querySelectorAll("h1").length !== 1) found.push("not one first heading");
  if (!document.documentElement.lang) found.push("no language");
  const ids = [...document.querySelectorAll("[id]")].map(one => one.id);
  if (new Set(ids).size < ids.length) found.push("an id twice");
  for (const link of document.querySelectorAll("a")) {
    if (!link.textContent.trim()) found.push("a link without words");
  }
  return found;
})()"""


@cache
def axe(folder: Path) -> str | None:
    """The source of axe-core, from the npm registry; None where that cannot be had."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", f"axe-core@{_VERSION}", "--silent"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    except (subprocess.SubprocessError, OSError):
        return None
    with tarfile.open(folder / f"axe-core-{_VERSION}.tgz") as archive:
        member = archive.extractfile("package/axe.min.js")
        return None if member is None else member.read().decode()


def barriers(page: Page, source: str | None) -> list[str]:
    """What keeps people from reading an open page: our rules, and serious findings of axe.

    Arguments:
        page: an open page.
        source: that of axe-core, if there is one.
    """
    found = list(page.evaluate(_RULES))
    if source is not None:
        page.evaluate(source)
        for violation in page.evaluate("axe.run().then(result => result.violations)"):
            if violation["impact"] in _SERIOUS:
                where = ", ".join(str(node["target"][0]) for node in violation["nodes"][:3])
                found.append(f"axe: {violation['id']}: {violation['help']} ({where})")
    return found
