"""The command tree: which commands there are, and the options that all of them have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from beholden.cli.commands import (
    archive,
    collections,
    compare,
    demo,
    detect,
    engines,
    evidence,
    explain,
    faces,
    index,
    labels,
    ledger,
    models,
    moderate,
    policy,
    policy_simulate,
    policy_work,
    proof,
    reviews,
    search,
    serve,
    text,
    token,
    up,
    version,
)
from beholden.cli.options import examples
from beholden.cli.session import Options, Session
from beholden.cli.tour import TOUR

_LOOK, _FIND, _LAW, _RUN = "Look", "Keep and find", "Ask the law", "Run"


class AnywhereGroup(TyperGroup):
    """A root whose own options may also stand after the command's name: `beholden detect a.jpg --json`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Moves the root's options to the front, where its parser looks for them."""
        flags = {
            name: bool(getattr(option, "is_flag", False))
            for option in self.params
            if option.name != "help"
            for name in option.opts
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
    authorisation: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Show this signed authorisation with the call."),
    ] = None,
    consent: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Show this signed consent with the call.")
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
            authorisation=authorisation,
            consent=consent,
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
    _look(app)
    _keep_and_find(app)
    _ask_the_law(app)
    _review(app)
    _run(app)
    return app


def _look(app: typer.Typer) -> None:
    _hang(
        app,
        detect.detect,
        "detect crew.jpg --as daily-herald",
        "detect crew.jpg --as daily-herald --draw faces.png  # and look at it",
        "detect crew.jpg --as daily-herald --json | jq '.faces[].confidence'",
        panel=_LOOK,
    )
    _hang(
        app,
        labels.labels,
        "labels street.jpg --as daily-herald",
        "labels street.jpg --as daily-herald --looks --draw objects.png",
        "labels street.jpg --as daily-herald --category 'Animals and Pets' --not Dog",
        panel=_LOOK,
    )
    _hang(
        app,
        text.text,
        "text sign.jpg --as daily-herald",
        "text page.png --as daily-herald --draw read.png",
        "text form.png --as daily-herald --region 0,0.8,1,1  # the lowest fifth",
        "text page.png --as daily-herald --json | jq -r '.texts[].text'",
        panel=_LOOK,
    )
    _hang(
        app,
        compare.compare,
        "compare passport.jpg crowd.jpg --as daily-herald --purpose editorial_research",
        "compare a.jpg b.jpg --as daily-herald --min-similarity 0.95 --draw b-alike.png",
        panel=_LOOK,
    )
    _hang(
        app,
        moderate.moderate,
        "moderate upload.jpg --as acme-platform",
        "moderate upload.jpg --as acme-platform --min-confidence 0.8 --json",
        panel=_LOOK,
    )


def _keep_and_find(app: typer.Typer) -> None:
    group = _group(app, "collections", "Make, list and delete galleries of faces.", _FIND)
    _hang(group, collections.create, "collections create news --name 'News archive'")
    _hang(group, collections.show_all, "collections list --json | jq -r .name", name="list")
    _hang(group, collections.get, "collections get news")
    _hang(group, collections.delete, "collections delete news --yes")
    _hang(
        app,
        index.index,
        "index news photos/ --source archive --legal-basis 'press law'",
        "index news portrait.jpg --external-id ada --consent-id form-17",
        "index news photos/ --json > log.jsonl  # a line for each picture",
        panel=_FIND,
    )
    _hang(
        app,
        search.search,
        "search news crowd.jpg --purpose editorial_research",
        "search news crowd.jpg --max 3 --min-similarity 0.9 --draw found.png",
        "search news --face 8c1f6c3e-6a0e-5d3c-8f0e-2f6d2c9f2b11  # like one that is enrolled",
        panel=_FIND,
    )
    group = _group(app, "faces", "List and delete the faces of a collection.", _FIND)
    _hang(group, faces.show_all, "faces list news", name="list")
    _hang(group, faces.delete, "faces delete news 8c1f6c3e-6a0e-5d3c-8f0e-2f6d2c9f2b11 --yes")


def _ask_the_law(app: typer.Typer) -> None:
    _hang(
        app,
        explain.explain,
        "explain face.search_by_image --as metro-police --purpose criminal_investigation",
        "explain face.search --fact min_similarity=0.95 --fact max_results=5",
        panel=_LAW,
    )
    group = _group(app, "policy", "The law: in force, at rest, and tried out.", _LAW)
    _hang(group, policy.status, "policy status --as beholden-ops --role auditor")
    _hang(
        group,
        policy_work.check,
        "policy test",
        "policy test policies/cases/amazon-2021.yaml",
        name="test",
    )
    _hang(
        group,
        policy_work.bundle,
        "policy bundle bundle.tar.gz",
        "policy bundle bundle.tar.gz --key signing.pem --algorithm ES256",
    )
    _hang(group, policy_work.diff, "policy diff HEAD~1", "policy diff policies/ candidate/")
    _hang(
        group,
        policy_simulate.simulate,
        "policy simulate --law candidate/",
        "policy simulate --law candidate/ --ledger export.jsonl --workers 8",
    )
    group = _group(app, "evidence", "Signed authorisations and consents.", _LAW)
    _hang(
        group,
        evidence.key,
        "evidence key > entry.json  # for law/issuers/data.json of your policies",
    )
    _hang(
        group,
        evidence.mint,
        "evidence mint authorisation --as metro-police --purpose criminal_investigation "
        "--action face.search_by_image --collection wanted --offence kidnapping > order.jwt",
    )
    _hang(group, evidence.show, "evidence show order.jwt")
    group = _group(app, "ledger", "What was decided, and whether the account of it holds.", _LAW)
    _hang(
        group,
        ledger.verify,
        "ledger verify --as beholden-ops --role auditor",
        "ledger verify --ledger sqlite:///var/ledger.db  # without a server",
        "ledger verify --ledger export.jsonl --key public.pem  # anywhere",
    )
    _hang(group, ledger.show_all, "ledger list --denied --max 5", name="list")
    _hang(
        group,
        archive.export,
        "ledger export ledger.jsonl",
        "ledger export ledger --format parquet --ledger postgresql://beholden@db/ledger",
        "ledger export - | jq -c 'select(.allowed == false) | .body.decision.reasons'",
    )
    _hang(group, proof.key, "ledger key > public.pem")
    _hang(group, proof.prove, "ledger prove 019a5d0c-8a3e-7cc1-9d0e-3b1f0c9d2e11 --out proof.json")
    _hang(
        group,
        proof.check_proof,
        "ledger check-proof proof.json --key public.pem",
        name="check-proof",
    )
    _hang(
        group,
        archive.prune,
        "ledger prune --keep-days 365",
        "ledger prune --before 2026-01-01 --yes --ledger postgresql://beholden@db/ledger",
    )


def _review(app: typer.Typer) -> None:
    group = _group(
        app, "reviews", "Answers that people must look at before anybody gets them.", _LAW
    )
    _hang(
        group,
        reviews.show_all,
        "reviews list --pending --as daily-herald --role reviewer",
        name="list",
    )
    _hang(
        group,
        reviews.show,
        "reviews show 019a5d0c-8a3e-7cc1-9d0e-3b1f0c9d2e11 --token-file reviewer.jwt",
    )
    _hang(
        group,
        reviews.confirm,
        "reviews confirm 019a5d0c-8a3e-7cc1-9d0e-3b1f0c9d2e11 --reason 'same scar'",
        "reviews confirm 019a5d0c-8a3e-7cc1-9d0e-3b1f0c9d2e11 --candidate 2 --reason 'same scar'",
    )
    _hang(
        group,
        reviews.reject,
        "reviews reject 019a5d0c-8a3e-7cc1-9d0e-3b1f0c9d2e11 --reason 'nobody like that'",
    )


def _run(app: typer.Typer) -> None:
    _hang(app, demo.demo, "demo", "demo --pictures ~/Pictures --out out", panel=_RUN)
    _hang(
        app,
        serve.serve,
        "serve",
        "serve search governance --listen 127.0.0.1:50052  # as a pod does",
        panel=_RUN,
    )
    _hang(
        app,
        token.token,
        "token --as daily-herald",
        "token --as daily-herald --principal ada --lifetime 600",
        panel=_RUN,
    )
    _hang(app, up.up, "up", "up --without milvus  # its embedded twin instead", panel=_RUN)
    _hang(app, up.down, "down", panel=_RUN)
    _hang(app, up.status, "status", "status --json | jq '.units[].state'", panel=_RUN)
    group = _group(app, "engines", "The real engines: Triton, Milvus, OPA, PostgreSQL.", _RUN)
    _hang(group, engines.install, "engines install", "engines install triton opa")
    _hang(group, engines.show_all, "engines list", name="list")
    group = _group(app, "models", "Pull, list and verify the models.", _RUN)
    _hang(
        group,
        models.pull,
        "models pull",
        "models pull centerface --mirror /mnt/weights  # no network",
    )
    _hang(group, models.show_all, "models list", name="list")
    _hang(group, models.verify, "models verify")
    _hang(app, version.version, "version", panel=_RUN)


def _group(app: typer.Typer, name: str, about: str, panel: str) -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    app.add_typer(group, name=name, help=about, rich_help_panel=panel)
    return group


def _hang(
    app: typer.Typer,
    command: Callable[..., None],
    *lines: str,
    name: str | None = None,
    panel: str | None = None,
) -> None:
    app.command(name, epilog=examples(*lines), rich_help_panel=panel)(command)
