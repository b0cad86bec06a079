"""Health is asked of real servers, of each kind."""

import http.server
import socket
import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from beholden.engines.unit import free_port, healthy


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response({"/good": 200, "/bad?why": 503}.get(self.path, 404))
        self.end_headers()

    def address_string(self) -> str:
        return "client"


class UnixServer(socketserver.UnixStreamServer):
    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        return super().get_request()[0], ("client", 0)


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def test_http() -> None:
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    with serving(server):
        assert healthy(f"{url}/good")
        assert not healthy(f"{url}/bad?why")
        assert not healthy(f"{url}/other")
    assert not healthy(f"{url}/good")


def test_http_over_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with serving(UnixServer(str(path), Handler)):
        assert healthy(f"unix://{path}?path=/good")
        assert not healthy(f"unix://{path}?path=/bad?why")
    assert not healthy(f"unix://{path}?path=/good")


def test_grpc() -> None:
    servicer = health.HealthServicer()
    server = grpc.server(ThreadPoolExecutor(1))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    assert healthy(f"grpc://127.0.0.1:{port}")
    servicer.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
    assert not healthy(f"grpc://127.0.0.1:{port}")
    server.stop(None).wait()
    assert not healthy(f"grpc://127.0.0.1:{port}")


def test_what_is_no_server() -> None:
    with pytest.raises(ValueError, match="ftp"):
        healthy("ftp://127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        assert not healthy(f"http://127.0.0.1:{port}/")
        assert not healthy(f"postgresql://me@127.0.0.1:{port}/db")
        assert not healthy(f"milvus://127.0.0.1:{port}")


def test_a_port_that_is_taken_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) not in {0, port}
    assert free_port(port) == port
