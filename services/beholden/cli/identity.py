"""Who asks: a token that was given, or one minted with the development key for --as."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path

from beholden.cli.configured import settings
from beholden.cli.failures import Failure

_LIFETIME = 12 * 3600


def authorization(
    tenant: str, roles: Sequence[str], token: str, token_file: Path | None
) -> list[tuple[str, str]]:
    """The metadata that says who asks; empty where nobody was named.

    `tenant`, with `roles`, goes before a token.

    Raises:
        Failure: the token file or the development key cannot be read.
    """
    if tenant:
        token = mint(tenant, roles=roles, lifetime=_LIFETIME)
    elif not token and token_file:
        try:
            token = token_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Failure(
                f"cannot read a token from {token_file}: {error}", "UNAUTHENTICATED"
            ) from None
    if not token.isascii() or not token.isprintable():
        raise Failure("the token holds characters that no token has", "UNAUTHENTICATED")
    return [("authorization", f"Bearer {token}")] if token else []


def mint(tenant: str, principal: str = "", roles: Sequence[str] = (), *, lifetime: int) -> str:
    """A token for `principal` (the user at this machine if empty), good for `lifetime` seconds.

    Raises:
        Failure: the server's key is not at hand, or does not sign.
    """
    from beholden.core.errors import BeholdenError
    from beholden.guard import tokens
    from beholden.guard.keys import read_keys

    identity = settings().guard.identity
    try:
        key = read_keys(identity.key_file).signing()
    except BeholdenError as error:
        raise Failure(
            error.message,
            "UNAUTHENTICATED",
            hint="--as works where the server's development key can be read: in the folder where "
            "`beholden serve` was started; elsewhere use --token or --token-file",
        ) from None
    return tokens.mint(
        key,
        principal=principal or _user(),
        tenant=tenant,
        roles=roles,
        audience=identity.audience,
        issuer=identity.issuer,
        lifetime=lifetime,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "cli"
