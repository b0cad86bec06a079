"""What every command has at hand: who asks and why, the terminal, and the server once it is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import typer

from beholden.cli.client import Client
from beholden.cli.evidence import read_token
from beholden.cli.failures import Failure
from beholden.cli.identity import authorization
from beholden.cli.output import Output
from beholden.client.connecting import Certificates

Stub = TypeVar("Stub")


_YES_OR_NO = {None: "", False: "no", True: "yes"}


@dataclass(frozen=True, slots=True)
class Options:
    """The options that every command has; empty strings where nothing was said."""

    server: str
    tenant: str = ""
    roles: tuple[str, ...] = ()
    token: str = ""
    token_file: Path | None = None
    purpose: str = ""
    jurisdiction: str = ""
    on_behalf_of: str = ""
    case: str = ""
    realtime: bool | None = None
    public_space: bool | None = None
    authorisation: Path | None = None
    consent: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    timeout: float = 30.0
    json: bool = False
    quiet: bool = False

    def declarations(self) -> list[tuple[str, str]]:
        """What the caller declares, as metadata. Raises Failure for what metadata cannot carry."""
        said = {
            "purpose": self.purpose,
            "jurisdiction": self.jurisdiction,
            "on-behalf-of": self.on_behalf_of,
            "case": self.case,
            "realtime": _YES_OR_NO[self.realtime],
            "public-space": _YES_OR_NO[self.public_space],
        }
        for name, value in said.items():
            if not (value.isascii() and value.isprintable()):
                wrong = ((f"--{name}", "must be printable ASCII"),)
                raise Failure("the request is wrong", "INVALID_ARGUMENT", fields=wrong)
        shown = {"authorisation": self.authorisation, "consent": self.consent}
        said |= {name: read_token(file) for name, file in shown.items() if file}
        return [(f"beholden-{name}", value) for name, value in said.items() if value]

    def certificates(self) -> Certificates:
        """Whom to believe, and who one is oneself. Raises Failure for half of a pair."""
        try:
            return Certificates(self.ca, self.certificate, self.key)
        except ValueError as error:
            wrong = (("--tls-certificate, --tls-key", str(error)),)
            raise Failure("the request is wrong", "INVALID_ARGUMENT", fields=wrong) from None


class Session:
    """One run of one command."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.output = Output(json=options.json, quiet=options.quiet)

    @cached_property
    def client(self) -> Client:
        """The connection, made when first asked for. Raises Failure when no identity can be had."""
        options = self.options
        metadata = authorization(options.tenant, options.roles, options.token, options.token_file)
        said = [*metadata, *options.declarations()]
        return Client(options.server, said, options.timeout, options.certificates())

    def stub(self, kind: Callable[..., Stub]) -> Stub:
        """The generated stub `kind` on this session's connection."""
        return self.client.stub(kind)

    def renew(self) -> None:
        """The next call has a connection and an identity of its own: the token may be another by then."""
        self.close()
        self.__dict__.pop("client", None)

    def close(self) -> None:
        """Lets go of the connection, where there is one."""
        if "client" in self.__dict__:
            self.client.close()


def session(context: typer.Context) -> Session:
    """The session that the root command made."""
    made = context.obj
    assert isinstance(made, Session)
    return made
