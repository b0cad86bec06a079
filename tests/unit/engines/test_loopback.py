"""A server that listens everywhere is heard on loopback only, whole and to its end."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from beholden.engines.unit import free_port
from tests.pictures import ROOT, missing

ECHO = """
import socket, threading
def echo(one):
    while data := one.recv(65536):
        one.sendall(data)
    one.close()
server = socket.create_server(("0.0.0.0", 7))
print("listening", flush=True)
while True:
    threading.Thread(target=echo, args=(server.accept()[0],), daemon=True).start()
"""


@pytest.fixture
def port() -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    outer = free_port()
    command = [sys.executable, "-m", "beholden.engines.loopback", f"{outer}:7", "--"]
    with subprocess.Popen(
        [*command, sys.executable, "-c", ECHO],
        env={**os.environ, "PYTHONPATH": str(ROOT / "services")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as made:
        assert made.stdout is not None
        assert made.stderr is not None
        if made.stdout.readline() != b"listening\n":
            said = made.stderr.read().decode()
            if "no network namespace" not in said:
                raise AssertionError(said)
            missing(said)
        yield outer, made
        made.kill()


def listening() -> set[str]:
    """Addresses that this host listens at for TCP, as the kernel writes them."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return {line.split()[1] for line in lines if line.split()[3] == "0A"}


def test_bytes_come_back_whole_over_many_connections(
    port: tuple[int, subprocess.Popen[bytes]],
) -> None:
    sent = os.urandom(3_000_000)
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port[0]), timeout=20) as one:
            got = bytearray()
            for start in range(0, len(sent), 100_000):
                one.sendall(sent[start : start + 100_000])
                while len(got) < start + 50_000:
                    got += one.recv(65536)
            one.shutdown(socket.SHUT_WR)
            while piece := one.recv(65536):
                got += piece
        assert got == sent


def test_it_listens_on_loopback_alone(port: tuple[int, subprocess.Popen[bytes]]) -> None:
    assert f"0100007F:{port[0]:04X}" in listening()
    assert f"00000000:{port[0]:04X}" not in listening()
    assert "00000000:0007" not in listening()


def test_the_server_ends_when_asked_and_with_its_keeper(
    port: tuple[int, subprocess.Popen[bytes]],
) -> None:
    _, made = port
    child = int(Path(f"/proc/{made.pid}/task/{made.pid}/children").read_text())
    made.send_signal(signal.SIGKILL)
    made.wait(20)
    for _ in range(500):
        stat = Path(f"/proc/{child}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.02)
    raise AssertionError("the server outlived its keeper")


def test_its_exit_code_is_the_servers(port: tuple[int, subprocess.Popen[bytes]]) -> None:
    _, made = port
    made.terminate()
    assert made.wait(20) == 256 - signal.SIGTERM
