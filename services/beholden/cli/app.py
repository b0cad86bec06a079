"""The root of the command line: the options that every command has, wherever they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from beholden.cli.session import Options, Session
from beholden.cli.tour import TOUR
from beholden.cli.tree import grow


class AnywhereGroup(TyperGroup):
    """A root whose own options may also stand after the command's name: `beholden detect a.jpg --json`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Moves the root's options to the front, where its parser looks for them."""
        flags = {
            name: bool(getattr(option, "is_flag", False))
            for option in self.params
            if option.name != "help"
            for name in (*option.opts, *option.secondary_opts)
        }
        return super().parse_args(ctx, hoisted(args, flags))


def hoisted(args: list[str], flags: dict[str, bool]) -> list[str]:
    """`args` with the options in `flags` first, each with its value unless it is a flag (True).

    What follows `--` stays where it is.
    """
    front: list[str] = []
    rest: list[str] = []
    remaining = iter(args)
    for arg in remaining:
        if arg == "--":
            rest += [arg, *remaining]
        elif arg.partition("=")[0] in flags:
            front.append(arg)
            if "=" not in arg and not flags[arg]:
                front += [value for value in [next(remaining, None)] if value is not None]
        else:
            rest.append(arg)
    return [*front, *rest]


def root(  # noqa: PLR0917 - one for each option
    context: typer.Context,
    server: Annotated[
        str,
        typer.Option(
            envvar="BEHOLDEN_SERVER", metavar="ADDRESS", help="host:port, https://host:port, or up."
        ),
    ] = "127.0.0.1:50051",
    tenant: Annotated[
        str,
        typer.Option("--as", metavar="TENANT", help="Call as this tenant, by the development key."),
    ] = "",
    role: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE", help="With --as: a role, such as auditor; repeatable."),
    ] = None,
    token: Annotated[
        str, typer.Option(envvar="BEHOLDEN_TOKEN", metavar="TOKEN", help="Call with this token.")
    ] = "",
    token_file: Annotated[
        Path | None,
        typer.Option(
            envvar="BEHOLDEN_TOKEN_FILE", metavar="FILE", help="Call with the token in a file."
        ),
    ] = None,
    purpose: Annotated[
        str,
        typer.Option(
            envvar="BEHOLDEN_PURPOSE", metavar="NAME", help="What for: editorial_research, ..."
        ),
    ] = "",
    jurisdiction: Annotated[
        str,
        typer.Option(
            envvar="BEHOLDEN_JURISDICTION", metavar="PLACE", help="Where: US-WA, IT (ISO 3166)."
        ),
    ] = "",
    on_behalf_of: Annotated[
        str, typer.Option(metavar="TENANT", help="For whom, where it is not for you.")
    ] = "",
    case: Annotated[
        str, typer.Option(envvar="BEHOLDEN_CASE", metavar="ID", help="The case it belongs to.")
    ] = "",
    realtime: Annotated[
        bool | None,
        typer.Option("--live/--recorded", help="Whether the pictures come as they are made."),
    ] = None,
    public_space: Annotated[
        bool | None,
        typer.Option("--public/--private", help="Whether they show a place open to the public."),
    ] = None,
    authorisation: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Show this signed authorisation with the call."),
    ] = None,
    consent: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Show this signed consent with the call.")
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option(
            "--tls-ca", envvar="BEHOLDEN_TLS_CA", metavar="PEM", help="Believe these authorities."
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--tls-certificate",
            envvar="BEHOLDEN_TLS_CERTIFICATE",
            metavar="PEM",
            help="Show this certificate.",
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--tls-key", envvar="BEHOLDEN_TLS_KEY", metavar="PEM", help="Its key."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.001, metavar="SECONDS", help="How long to wait for an answer.")
    ] = 30.0,
    json: Annotated[
        bool, typer.Option("--json", metavar="", help="JSON on stdout, for programs.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", metavar="", help="Print errors only.")
    ] = False,
) -> None:
    """Visual recognition that answers to policy."""
    made = Session(
        Options(
            server=server,
            tenant=tenant,
            roles=tuple(role or ()),
            token=token,
            token_file=token_file,
            purpose=purpose,
            jurisdiction=jurisdiction,
            on_behalf_of=on_behalf_of,
            case=case,
            realtime=realtime,
            public_space=public_space,
            authorisation=authorisation,
            consent=consent,
            ca=ca,
            certificate=certificate,
            key=key,
            timeout=timeout,
            json=json,
            quiet=quiet,
        )
    )
    context.obj = made
    context.call_on_close(made.close)
    if context.invoked_subcommand is None:
        made.output.show(TOUR)


def build() -> typer.Typer:
    """The whole tree."""
    app = typer.Typer(
        cls=AnywhereGroup,
        name="beholden",
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="These options may stand anywhere in the line. [bold]Exit codes[/]: 0 done, 1 failed, "
        "2 asked wrongly, 3 refused by policy, 4 not signed in, 5 not available, 130 interrupted.",
    )
    app.callback(invoke_without_command=True)(root)
    grow(app)
    return app
