"""The page of `odeflow explore` in a real browser, served as a user has it."""

import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import yaml

import odeflow
from odeflow.config.plot import PlotConfig
from odeflow.ensemble.at_once import AtOnce
from odeflow.files.netcdf import read_dataset
from tests.support.accessibility import axe, barriers
from tests.support.browser import OPENS_PAGES, PHONE, WIDE, Page, browser
from tests.support.explored import write_results
from tests.support.live_page import SAID, SOLVED, click, deep, live, move, wait
from tests.support.snakes import make_study

pytestmark = OPENS_PAGES

EXPERIMENT = """# @package _global_
defaults:
  - override /model: decay
  - override /design: grid
  - override /solver: tsit5
name: decay
design:
  axes:
    k: {linspace: [0.5, 2.0, 16]}
    y: {linspace: [1, 3, 4]}
saveat: {ts: {linspace: [0, 2, 41]}}
plot: {formats: [png], dpi: 50}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    study = make_study(tmp_path_factory.mktemp("study"), EXPERIMENT)
    write_results(odeflow.compose("experiment=decay", study=study))
    return study


@pytest.fixture(scope="module")
def address(study: Path) -> Iterator[str]:
    """A page that is served from the results of the study."""
    with live(study, "results/decay") as found:
        yield found


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def checker(tmp_path_factory) -> str | None:
    return axe(tmp_path_factory.mktemp("axe"))


def opened(page: Page, address: str, width: int = WIDE, dark: bool = False) -> None:
    page.open(address, width, dark=dark)
    wait(page, f"{SOLVED} !== null && ({SAID} || '').includes('Solved in')")


@pytest.mark.parametrize("width", [PHONE, WIDE])
def test_nothing_is_wrong_in_a_browser(width: int, address: str, page: Page):
    opened(page, address, width)
    for view in ("Phase portrait", "Metric", "Time courses"):
        if click(page, view):
            time.sleep(0.4)
    here = address.rsplit("/", 1)[0]
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith(here)] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("view", ["Time courses", "Metric"])
def test_everyone_can_use_it(view: str, dark: bool, address: str, page: Page, checker):
    opened(page, address, dark=dark)
    click(page, view)
    page.evaluate(deep("all(document, 'details').forEach(one => { one.open = true; })"))
    time.sleep(0.5)
    assert barriers(page, checker) == []


def test_a_slider_solves_what_it_says(address: str, page: Page, study: Path):
    """The curve that is drawn is that of the values beside the sliders."""
    opened(page, address)
    move(page, 1, 111)
    time.sleep(0.5)
    before = page.evaluate(SOLVED)
    move(page, 0, 377)
    wait(
        page,
        f"JSON.stringify({SOLVED}) !== {json.dumps(json.dumps(before, separators=(',', ':')))}",
    )
    drawn = page.evaluate(SOLVED)
    k, y = (
        float(page.evaluate(deep(f"all(document, 'input[type=number]')[{i}].value")))
        for i in (0, 1)
    )
    assert k == pytest.approx(0.5 + 1.5 * 377 / 400, rel=1e-4)
    config = odeflow.compose("experiment=decay", study=study)
    found = AtOnce(config, study, ("k", "y"))({"k": k, "y": y})
    np.testing.assert_array_equal(drawn, found.values["y"])
    np.testing.assert_allclose(drawn, y * np.exp(-k * found.times), rtol=1e-4)


def test_a_slice_leaves_the_others_out(address: str, page: Page):
    opened(page, address)
    page.evaluate(deep("all(document, '.slice input')[1].click()"))
    wait(page, f"({SAID} || '').includes('Stored trajectories are those of initial_y')")
    page.evaluate(deep("all(document, '.slice input')[1].click()"))
    wait(page, f"!({SAID} || '').includes('Stored trajectories are those')")


def test_what_is_seen_can_be_taken_along(address: str, page: Page, tmp_path: Path):
    opened(page, address)
    page.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    names = {
        "Figure, SVG": "decay_explored.svg",
        "Figure, PNG": "decay_explored.png",
        "Selection, NetCDF": "decay_explored.nc",
        "Plot, YAML": "explored.yaml",
    }
    for words, name in names.items():
        assert click(page, words)
        end = time.monotonic() + 20
        while not (tmp_path / name).exists():
            assert time.monotonic() < end, f"{name} did not arrive: {page.complaints}"
            time.sleep(0.1)
    dataset: xr.Dataset = read_dataset(tmp_path / "decay_explored.nc")
    assert dict(dataset["initial_y"].sizes) == {"initial_y": 4} and "y_solved" in dataset
    plot = PlotConfig.model_validate(yaml.safe_load((tmp_path / "explored.yaml").read_text()))
    assert plot.figures == ["time_courses"] and plot.variables == ["y"]
    assert b"<svg" in (tmp_path / "decay_explored.svg").read_bytes()
    assert (tmp_path / "decay_explored.png").read_bytes().startswith(b"\x89PNG")


def test_it_opens_and_answers_quickly(address: str, page: Page):
    began = time.monotonic()
    opened(page, address)
    assert time.monotonic() - began < 20  # some two seconds where nothing else runs
    took = []
    for place in range(50, 350, 30):
        move(page, 0, place)
        time.sleep(0.15)
        took.append(float(str(page.evaluate(SAID)).split("Solved in ")[1].split(" ms")[0]))
    assert np.median(took) < 25, took  # about one where nothing else runs


def _takes_socket(address: str, origin: str) -> bool:
    """Whether the page's socket opens for a page of another origin."""
    host, path = address.removeprefix("http://").split("/", 1)
    name, port = host.split(":")
    page = urllib.request.urlopen(address).read().decode()
    token = re.search(r'"token":"([^"]+)"', page)
    assert token
    words = [
        f"GET /{path}/ws HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: bokeh, {token.group(1)}", f"Origin: {origin}", "", "",
    ]  # fmt: skip
    with socket.create_connection((name, int(port))) as opened:
        opened.sendall("\r\n".join(words).encode())
        return opened.recv(20).startswith(b"HTTP/1.1 101")


def test_other_addresses_have_nothing(address: str):
    """No index, no redirection to the page, and no answer on other interfaces."""
    root = address.rsplit("/", 1)[0]
    code = (
        "import urllib.request, urllib.error, sys\n"
        "try: print(urllib.request.urlopen(sys.argv[1]).url)\n"
        "except urllib.error.HTTPError as error: print(error.code)"
    )
    for place in ("/", "/autoload.js", "/another"):
        done = subprocess.run(
            [sys.executable, "-c", code, f"{root}{place}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == "404"
    assert not _takes_socket(address, "http://elsewhere.example")
    assert _takes_socket(address, root)
    port = int(root.rsplit(":", 1)[1])
    listening = Path("/proc/net/tcp").read_text().splitlines()
    local = [line.split()[1] for line in listening if line.split()[1].endswith(f":{port:04X}")]
    assert local and all(one.startswith("0100007F") for one in local)
