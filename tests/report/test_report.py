"""The report, opened in a real browser: every figure can be clicked and is drawn."""

import html
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.browser import CHROMIUM, NEEDS_CHROMIUM
from tests.support.snakes import make_study, snakemake

#: Does what a reader does, in the page itself, and leaves what was seen in the title.
READER = """<script>(async () => {
  const wait = ms => new Promise(done => setTimeout(done, ms));
  const click = text => [...document.querySelectorAll("a")]
    .find(a => a.textContent.trim() === text).click();
  await wait(1500); click("Results"); await wait(500); click("decay"); await wait(500);
  const seen = {};
  for (let row = 0; row < document.querySelectorAll("td a[iconname=eye]").length; row++) {
    const eye = document.querySelectorAll("td a[iconname=eye]")[row];
    const name = eye.closest("tr").textContent.trim();
    eye.click(); await wait(800);
    const images = [...document.querySelectorAll("img")].filter(i => i.naturalWidth > 100);
    const frames = document.querySelectorAll("iframe").length;
    seen[name] = images.length ? images[0].naturalWidth : frames;
  }
  document.title = JSON.stringify(seen);
})();</script>"""


@NEEDS_CHROMIUM
@pytest.mark.slow
def test_every_page_of_the_report_opens(tmp_path: Path):
    study = make_study(tmp_path / "study")
    snakemake(study)
    snakemake(study, "--report", "report.html")
    page = study / "report.html"
    start, end = page.read_text(encoding="utf-8").rsplit("</body>", 1)
    page.write_text(f"{start}{READER}</body>{end}", encoding="utf-8")
    dumped = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={tmp_path / 'browser'}", "--virtual-time-budget=15000",
            "--dump-dom", page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    ).stdout  # fmt: skip
    title = re.search(r"<title>(.*?)</title>", dumped)
    assert title is not None
    seen = json.loads(html.unescape(title.group(1)))
    figures = {
        path.stem.replace("_", " ") for path in (study / "results/decay/figures").glob("*.png")
    }
    assert figures and set(seen) == figures | {"overview"}
    for name in figures:
        assert seen[name] > 100, f"{name} is not drawn"
