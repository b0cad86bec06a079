"""`beholden evidence`: signed authorisations and consents, for development and for looking into one."""

from __future__ import annotations

import json
import os
import time
import uuid
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from beholden.cli.configured import settings
from beholden.cli.evidence import read_token
from beholden.cli.failures import Failure
from beholden.cli.panels import facts
from beholden.cli.session import session
from beholden.cli.words import at
from beholden.guard.minting import mint_evidence, new_key

KeyFile = Annotated[
    Path, typer.Option("--key", metavar="JWK", help="The issuer's private key, a JSON Web Key.")
]
Issuer = Annotated[str, typer.Option(metavar="URL", help="Who signs, as the law names it.")]


class Kind(StrEnum):
    """What may be shown with a call."""

    AUTHORISATION = "authorisation"
    CONSENT = "consent"


def key(
    context: typer.Context,
    key: KeyFile = Path("var/evidence.jwk"),
    issuer: Issuer = "https://development.example",
    title: Annotated[str, typer.Option(help="What people call it.")] = "A development issuer",
    max_days: Annotated[
        int, typer.Option(min=1, max=3660, help="How long its evidence may last.")
    ] = 30,
) -> None:
    """Print the entry of law/issuers/data.json that makes a key believed; make the key if need be."""
    here = session(context)
    if not key.exists():
        _write(key, json.dumps(new_key().as_dict(private=True)))
        here.output.note(f"made {key}; keep it secret")
    public = _private(key).as_dict(private=False)
    entry = {"title": title, "issues": list(Kind), "max_days": max_days, "keys": [public]}
    here.output.line(json.dumps({issuer: entry}, indent=None if here.output.json else 2))


def mint(  # noqa: PLR0917 - one for each option
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="authorisation or consent.")],
    action: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="An action; repeatable, any if absent.")
    ] = None,
    collection: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="A collection; repeatable, any if absent."),
    ] = None,
    offence: Annotated[
        list[str] | None, typer.Option(metavar="CLASS", help="A class of offences; repeatable.")
    ] = None,
    urgent: Annotated[bool, typer.Option(help="Given in urgency; lasts a day at most.")] = False,
    id: Annotated[str, typer.Option(metavar="ID", help="Its id; a new one if absent.")] = "",
    lifetime: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="How long it is good for.")
    ] = 3600,
    key: KeyFile = Path("var/evidence.jwk"),
    issuer: Issuer = "https://development.example",
) -> None:
    """Sign evidence for --as TENANT, --purpose and --case."""
    here = session(context)
    said = here.options
    if not said.tenant:
        raise typer.BadParameter("say for which tenant", param_hint="--as")
    scope = {
        "actions": action or ["*"],
        "purposes": [said.purpose or "*"],
        "collections": [_collection(name) for name in collection or ["*"]],
        "offences": offence or [],
        "case": said.case,
    }
    minted = mint_evidence(
        _private(key),
        kind,
        issuer=issuer,
        tenant=said.tenant,
        id=id or str(uuid.uuid4()),
        scope=scope,
        audience=settings().guard.identity.audience,
        lifetime=lifetime,
        urgent=urgent,
    )
    here.output.document(
        {kind.value: minted, "scope": scope, "expires": at(time.time() + lifetime)}
    )
    here.output.line(minted)
    here.output.note(f"for {said.tenant}, until {at(time.time() + lifetime)}")


def show(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file with a token.")],
) -> None:
    """Show what a token says. Nothing is checked: a server checks it when it is shown there."""
    here = session(context)
    try:
        unchecked = jws.extract_compact(read_token(file).encode())
        said = json.loads(unchecked.payload)
        header: dict[str, Any] = dict(unchecked.headers())
        rows = [
            (name, _told(name, value)) for name, value in (header | said).items() if name != "scope"
        ]
    except (JoseError, TypeError, ValueError, RecursionError):
        raise Failure(f"{file} holds no signed JSON Web Token", "INVALID_ARGUMENT") from None
    here.output.document({"header": header, "claims": said, "checked": False})
    rows = [
        (name, _told(name, value)) for name, value in (header | said).items() if name != "scope"
    ]
    scope = said.get("scope")
    if isinstance(scope, dict):
        rows += [(name, _plain(value)) for name, value in scope.items()]
    here.output.show(facts(rows))


def _collection(name: str) -> str:
    return name if name == "*" or "/" in name else f"collections/{name}"


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def _told(name: str, value: object) -> str:
    if name in {"nbf", "iat", "exp"} and isinstance(value, int) and 0 <= value < 2**33:
        return at(value)
    return _plain(value)


def _private(path: Path) -> Key:
    try:
        found = JWKRegistry.import_key(json.loads(path.read_text("ascii")))
    except (OSError, ValueError, TypeError, KeyError, JoseError) as error:
        raise Failure(
            f"cannot read a key from {path}: {error}",
            hint="make one with `beholden evidence key`",
        ) from None
    if not found.is_private or found.key_type == "oct":
        raise Failure(f"{path} is no private key")
    return found


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text + "\n")
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}") from None
