"""What the run of Snakemake, the worker and its copies say to one another.

For each job there is a pair of sockets. The worker answers with `BEGUN` and the number of the
process, or with `REFUSED`; the copy then reads the job; at its end the worker sends `ENDED` and its
exit status. Where the worker is killed, the sockets close without.
"""

from __future__ import annotations

import pickle
import socket
import struct
from dataclasses import dataclass
from typing import Any

_LENGTH = struct.Struct("!Q")
_ANSWER = struct.Struct("!cq")
BEGUN, REFUSED, ENDED = b"b", b"r", b"e"


@dataclass(frozen=True)
class ScriptJob:
    """A script to run: its file and text, what Snakemake tells it, and the surroundings it has."""

    file: str
    source: str
    snakemake: bytes
    folder: str
    environment: dict[str, str]


def send_job(connection: socket.socket, job: ScriptJob) -> None:
    """Sends a job. Raises OSError where nobody reads it."""
    data = pickle.dumps(job)
    connection.sendall(_LENGTH.pack(len(data)) + data)


def receive_job(connection: socket.socket) -> ScriptJob:
    """The job that is sent. Raises EOFError where the sender has gone."""
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    return pickle.loads(_exactly(connection, length))


def send_answer(connection: socket.socket, kind: bytes, number: int = 0) -> None:
    """Sends one of the three answers. Raises OSError where nobody reads it."""
    connection.sendall(_ANSWER.pack(kind, number))


def receive_answer(connection: socket.socket) -> tuple[bytes, int]:
    """The next answer and its number. Raises EOFError where the worker has gone."""
    try:
        kind, number = _ANSWER.unpack(_exactly(connection, _ANSWER.size))
    except ConnectionError:
        raise EOFError from None
    return kind, number


def _exactly(connection: socket.socket, length: int) -> Any:
    parts = bytearray()
    while len(parts) < length:
        part = connection.recv(min(length - len(parts), 2**20))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)
