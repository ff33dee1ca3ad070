"""Serving the live page to this machine alone."""

import secrets
from collections.abc import Callable
from typing import Any

import panel as pn

from odeflow.report.live.page import Explored, LivePage

#: Nothing but this machine reaches it.
_ADDRESS = "127.0.0.1"


def serve(explored: Explored, port: int = 0, opened: Callable[[str], Any] = print) -> None:
    """Serves the page until the process is interrupted.

    It listens on the loopback interface, its address has a word that cannot be guessed, and a
    socket is opened only from the page itself: other programs of other users, and pages of other
    sites in the same browser, get nothing.

    Arguments:
        explored: the experiment.
        port: where to listen; 0 for any that is free.
        opened: called with the address of the page once it can be had.

    Raises:
        OSError: the port is taken.
    """
    server, address = started(explored, port)
    opened(address)
    try:
        server.io_loop.start()
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()


def started(explored: Explored, port: int = 0) -> tuple[Any, str]:
    """A server that is listening, and the address of its page."""
    word = secrets.token_urlsafe(16)
    pn.extension()
    server = pn.io.server.get_server(
        {f"/{word}": lambda: LivePage(explored).template()},
        port=port,
        address=_ADDRESS,
        show=False,
        start=False,
        verbose=False,
        redirect_root=False,
        use_index=False,
    )
    server.start()
    return server, f"http://localhost:{server.port}/{word}"
