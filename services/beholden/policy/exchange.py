"""HTTP with OPA by TCP, TLS or unix socket, on connections that each thread keeps."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit


class Exchange:
    """Asks the server at `http://host:port`, `https://...` or `unix:///path`, on any thread.

    Standard library: of a decision on a unix socket, a richer client took the larger part.
    """

    def __init__(self, url: str, headers: Mapping[str, str], timeout: float) -> None:
        self._parts = urlsplit(url)
        self._headers = dict(headers)
        self._timeout = timeout
        self._local = threading.local()
        self._tls = ssl.create_default_context() if self._parts.scheme == "https" else None

    def __call__(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        """The answer's status and content; redirects are not followed, proxies not asked.

        Raises OSError (TimeoutError included) or HTTPException.
        """
        try:
            return self._once(method, path, body)
        except TimeoutError:
            raise
        except (ConnectionError, HTTPException):
            # A kept connection that was closed meanwhile; asking changes nothing, so ask again.
            return self._once(method, path, body)

    def _once(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        connection: HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connection()
        try:
            prefix = self._parts.path.rstrip("/") if self._parts.scheme != "unix" else ""
            connection.request(method, prefix + path, body, self._headers)
            response = connection.getresponse()
            return response.status, response.read()
        except BaseException:
            connection.close()
            raise

    def _connection(self) -> HTTPConnection:
        if self._parts.scheme == "unix":
            return _UnixConnection(self._parts.path, self._timeout)
        host, port = self._parts.hostname or "", self._parts.port
        if self._tls is not None:
            return HTTPSConnection(host, port, timeout=self._timeout, context=self._tls)
        return HTTPConnection(host, port, timeout=self._timeout)


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connects to the socket's path in place of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
