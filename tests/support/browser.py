"""A real browser for tests of pages: Debian's Chromium without a window, by its own protocol.

Messages go through a pipe, so that nothing but Python and the browser is needed.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium")
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")
#: Of a module whose tests open pages.
OPENS_PAGES = [pytest.mark.slow, NEEDS_CHROMIUM]
#: Widths of windows, in pixels.
PHONE, WIDE = 390, 1280
#: Read and written by the browser itself, whatever is opened.
_PIPES = (3, 4)
#: The largest paint so far, in milliseconds; a promise, since observers report later.
_LARGEST_PAINT = """new Promise(done => {
  new PerformanceObserver(list => done(list.getEntries().at(-1).startTime))
    .observe({type: "largest-contentful-paint", buffered: true});
  setTimeout(() => done(-1), 3000);
})"""


@dataclass
class Page:
    """An open page, and what it did since it was opened."""

    process: subprocess.Popen
    to: int
    back: int
    session: str = ""
    last: int = 0
    unread: bytes = b""
    #: What the console says: errors, warnings and uncaught exceptions.
    complaints: list[str] = field(default_factory=list)
    #: Addresses asked for that are neither in the file nor beside it.
    requests: list[str] = field(default_factory=list)
    loaded: bool = False

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Sends a command and waits for its answer; keeps what the page reports meanwhile."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def _read(self, limit: float = 60.0) -> dict[str, Any]:
        end = time.monotonic() + limit
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.back], [], [], max(end - time.monotonic(), 0.0))
            if not ready:
                raise TimeoutError("the browser does not answer")
            self.unread += os.read(self.back, 1 << 20)
        text, self.unread = self.unread.split(b"\0", 1)
        message = json.loads(text)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"])[:500])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(json.dumps(params["args"])[:500])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            url = params["request"]["url"]
            if not url.startswith(("file:", "data:", "blob:")):
                self.requests.append(url)
        elif method == "Page.loadEventFired":
            self.loaded = True

    def open(
        self, path: Path | str, width: int = 1280, height: int = 900, dark: bool = False
    ) -> None:
        """Opens a file or an address in a window of that size, in CSS pixels.

        It is a phone's where it is narrow.
        """
        self.complaints.clear()
        self.requests.clear()
        self.loaded = False
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=width < 600)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.ask("Page.navigate", url=path if isinstance(path, str) else path.resolve().as_uri())
        while not self.loaded:
            self._read()

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript, or of the promise that it is."""
        answer = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True,
                          returnByValue=True)  # fmt: skip
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:800])
        return answer["result"].get("value")

    def largest_paint(self) -> float:
        """Milliseconds until the largest text or image was painted."""
        return float(self.evaluate(_LARGEST_PAINT))

    def press(self, key: str, code: int) -> None:
        """Presses a key and lets it go; `code` is its number on a keyboard."""
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                     windowsVirtualKeyCode=code)  # fmt: skip

    def screenshot(self, path: Path, whole: bool = True) -> None:
        """Writes a picture of the page, PNG; of its window only if not the whole."""
        answer = self.ask("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def printed(self) -> bytes:
        """The page on A4 paper, PDF."""
        answer = self.ask("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
        return base64.b64decode(answer["data"])


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A browser with an empty profile in a folder; ended when the block is left."""
    assert CHROMIUM is not None
    (theirs, to), (back, answers) = os.pipe(), os.pipe()
    # Not among the numbers that the browser expects, where the copies would overwrite each other.
    theirs, answers = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (theirs, answers))

    def connect() -> None:
        for ours, number in zip((theirs, answers), _PIPES):
            os.dup2(ours, number)

    process = subprocess.Popen(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={folder}",
            "about:blank",
        ],
        preexec_fn=connect, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    page = Page(process, to, back)
    try:
        targets = page.ask("Target.getTargets")["targetInfos"]
        own = next(target["targetId"] for target in targets if target["type"] == "page")
        session = page.ask("Target.attachToTarget", targetId=own, flatten=True)["sessionId"]
        page.session = session
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.ask(f"{domain}.enable")
        yield page
    finally:
        process.kill()
        process.wait()
        for end in (to, back, theirs, answers):
            os.close(end)
