"""Addresses that secrets may be sent to: https, or http that stays on this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def private(url: str) -> str:
    """The URL, unchanged. Raises ValueError where somebody on the way could read what it carries."""
    parts = urlsplit(url)
    if parts.hostname and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    ):
        return url
    raise ValueError("wants an https address, or an http one on loopback")


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
