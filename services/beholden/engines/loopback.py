"""Runs a server that listens on every interface so that it can be heard on loopback only.

`python -m beholden.engines.loopback OUTER:INNER [...] -- COMMAND...` gives the command a network
namespace that holds nothing but its own loopback, and carries connections to 127.0.0.1:OUTER over to
port INNER in there. A socket stays in the namespace that it was made in, so that one process can
listen outside and connect inside. Ends when the command ends, with its exit code.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000
_PARENT_DEATH_SIGNAL = 1
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1
_PIECE = 1 << 20

_libc = ctypes.CDLL(None, use_errno=True)


def main(arguments: Sequence[str]) -> int:
    """See the module."""
    at = arguments.index("--")
    pairs = [tuple(map(int, pair.split(":"))) for pair in arguments[:at]]
    outside = [(socket.create_server(("127.0.0.1", outer)), inner) for outer, inner in pairs]
    try:
        _isolate()
    except OSError as error:
        return _refuse(error)
    command = subprocess.Popen(arguments[at + 1 :], preexec_fn=_die_with_parent)  # noqa: PLW1509
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: command.send_signal(number))
    for listener, inner in outside:
        threading.Thread(target=_accept, args=(listener, inner), daemon=True).start()
    return command.wait()


def _refuse(error: OSError) -> int:
    sys.stderr.write(f"error: no network namespace can be made here: {error.strerror}\n")
    return os.EX_NOPERM


def _isolate() -> None:
    """Moves this process, single-threaded as it is, into a network namespace of its own, loopback up."""
    uid, gid = os.getuid(), os.getgid()
    if uid == 0 and _libc.unshare(_NEW_NETWORK) == 0:
        _raise_loopback()
        return
    if _libc.unshare(_NEW_USER | _NEW_NETWORK):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny")
    (own / "uid_map").write_text(f"{uid} {uid} 1")
    (own / "gid_map").write_text(f"{gid} {gid} 1")
    _raise_loopback()


def _raise_loopback() -> None:
    with socket.socket() as any_socket:
        request = struct.pack("16sh", b"lo", 0)
        answer = fcntl.ioctl(any_socket, _GET_FLAGS, request + bytes(14))
        _, flags = struct.unpack("16sh", answer[:18])
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh", b"lo", flags | _UP) + bytes(14))


def _die_with_parent() -> None:
    _libc.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _accept(listener: socket.socket, inner: int) -> None:
    while True:
        client, _ = listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", inner))
        except OSError:
            client.close()
            continue
        for one, other in ((client, server), (server, client)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_carry, args=(one, other), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    """Moves bytes within the kernel until one side hangs up."""
    out, into = os.pipe()
    with suppress(OSError):
        while size := os.splice(source.fileno(), into, _PIECE):
            while size:
                size -= os.splice(out, target.fileno(), size)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
    os.close(out)
    os.close(into)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
