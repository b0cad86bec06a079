"""Runs one command line, and turns whatever ends it into words and an exit code."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from functools import cache
from typing import Any

import typer
from typer.main import get_command

from beholden.cli.app import build
from beholden.cli.failures import ExitCode, Failure
from beholden.cli.output import Output
from beholden.core.errors import BeholdenError, InvalidArgument

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def run(arguments: Sequence[str]) -> int:
    """The exit code; see ExitCode."""
    # An option may be wrong before the options are read: whether a program listens is seen first.
    output = Output(json="--json" in arguments, quiet=False)
    try:
        code = _tree().main(list(arguments), prog_name="beholden", standalone_mode=False)
    except (Failure, BeholdenError, OSError) as error:
        failure = _told(error)
        output.failure(failure)
        return failure.exit_code
    except typer.TyperException as error:
        # A group without a command has shown its help already, and says nothing more.
        if error.format_message():
            output.failure(_usage(error))
        return ExitCode.USAGE
    except (typer.Abort, SystemExit):
        # Typer and rich raise SystemExit once nobody reads any more, of which nothing is said.
        return ExitCode.FAILED
    return code if isinstance(code, int) else ExitCode.OK


def _told(error: Failure | BeholdenError | OSError) -> Failure:
    """The error in words; one that nobody foresaw is raised again."""
    match error:
        case Failure():
            return error
        case InvalidArgument():
            wrong = ((error.field, error.problem),)
            return Failure(error.message, "INVALID_ARGUMENT", error.reason, wrong)
        case BeholdenError():
            return Failure(error.message, reason=error.reason)
        case OSError(errno=number) if number in _FULL:
            return Failure(f"nothing more can be written: {error.strerror}")
    raise error


@cache
def _tree() -> Any:
    return get_command(build())


def _usage(error: typer.TyperException) -> Failure:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "beholden"
    return Failure(error.format_message(), "INVALID_ARGUMENT", hint=f"`{path} --help` has examples")
