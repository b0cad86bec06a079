"""`beholden policy test | bundle | sign | diff`: law at rest, before anybody is bound by it."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType

from beholden.cli.failures import ExitCode, Failure
from beholden.cli.offline import failures
from beholden.cli.output import Output, table
from beholden.cli.policies import Folder, chosen, law_at, opa, tenants_of
from beholden.cli.session import session
from beholden.cli.words import counted, safe

if TYPE_CHECKING:
    from beholden.policy.changes import Change
    from beholden.policy.checking import Checked
    from beholden.policy.law import Law

_COLOURS = {"added": "green", "removed": "red", "changed": "yellow"}
_MOST_WRONG = 20


def check(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[CASES]...", help="Case files; all of the folder's if absent."),
    ] = None,
    policies: Folder = None,
) -> None:
    """Run the policies' cases on the engine in process and, where it is there, on OPA; 1 if any fails."""
    here = session(context)
    with law_at(str(chosen(policies)), policies) as (folder, law), failures():
        found = files or sorted((folder / "cases").glob("*.yaml"))
        if not found:
            raise Failure(f"there are no cases in {folder / 'cases'}", "NOT_FOUND")
        checked = asyncio.run(_checked(here.output, found, law, folder))
    for one in checked:
        here.output.document(
            {"file": str(one.file), "engine": one.engine, "calls": one.calls, "wrong": one.wrong}
        )
    here.output.show(_results(checked))
    if opa() is None:
        here.output.note("no opa was found: only the engine in process was asked")
    if any(one.wrong for one in checked):
        raise typer.Exit(ExitCode.FAILED)


def bundle(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="The bundle to write, a .tar.gz file.")],
    policies: Folder = None,
    key: Annotated[
        Path | None,
        typer.Option(metavar="PEM", help="Sign it with this private key: P-256 or RSA."),
    ] = None,
) -> None:
    """Write the law as an OPA bundle that names its revision, checked first; the same law, the same bytes."""
    here = session(context)
    with law_at(str(chosen(policies)), policies) as (_, law), failures():
        _write(here.output, law, out, key)


def sign(
    context: typer.Context,
    bundle: Annotated[Path, typer.Argument(help="The bundle to sign, in place.")],
    key: Annotated[Path, typer.Option(metavar="PEM", help="The private key: P-256 or RSA.")],
) -> None:
    """Sign a bundle, as OPA verifies it; its law is checked first, and a signature it has is replaced."""
    from beholden.policy.open import read_law

    here = session(context)
    with failures():
        if not bundle.is_file():
            raise Failure(f"there is no bundle {bundle}", "NOT_FOUND")
        _write(here.output, read_law(bundle), bundle, key)


def _write(output: Output, law: Law, out: Path, key: Path | None) -> None:
    from beholden.policy.bundle import bundle_files, write_bundle
    from beholden.policy.signing import read_key, sign

    signatures = sign(bundle_files(law), read_key(key)) if key else ""
    # Under another name until it is whole: a half bundle must not be served.
    part = out.with_name(f".{out.name}.part")
    try:
        write_bundle(law, part, signatures)
        part.replace(out)
    except OSError as error:
        raise Failure(f"cannot write {out}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    output.document({"out": str(out), "revision": law.revision, "signed": bool(signatures)})
    signed = "signed" if signatures else "not signed"
    output.show(f"revision {safe(law.revision)} in {safe(out)}, {signed}")


def diff(
    context: typer.Context,
    before: Annotated[str, typer.Argument(help="A policies folder, or a git revision of it.")],
    after: Annotated[
        str, typer.Argument(help="The other; the policies as they are if absent.")
    ] = "",
    policies: Folder = None,
) -> None:
    """Say in words what changed between two laws, and on which of their cases' calls they differ."""
    from beholden.policy.changes import changes

    here = session(context)
    with (
        law_at(before, policies) as (old_folder, old),
        law_at(after or str(chosen(policies)), policies) as (new_folder, new),
        failures(),
    ):
        found = list(changes(old, new))
        differing = (
            asyncio.run(_differing(old, new, old_folder, new_folder))
            if old.revision != new.revision
            else []
        )
    here.output.document(
        {
            "before": old.revision,
            "after": new.revision,
            "changes": [{"place": c.place, "kind": c.kind, "words": c.words} for c in found],
            "cases": differing,
        }
    )
    here.output.show(_told(found, differing) if found else "the same law")


async def _checked(output: Output, files: list[Path], law: Law, folder: Path) -> list[Checked]:
    from beholden.policy.checking import check_cases

    tool = opa()
    done = []
    with output.progress() as bar:
        task = bar.add_task("cases", total=len(files) * (2 if tool else 1))
        async for one in check_cases(files, law, tenants_of(folder), tool):
            done.append(one)
            bar.advance(task)
    return done


async def _differing(old: Law, new: Law, *folders: Path) -> list[dict[str, Any]]:
    """The calls of both folders' cases, each once, that the two laws decide otherwise."""
    from beholden.policy.cases import load_cases
    from beholden.policy.checking import decide_all
    from beholden.policy.facts import FactLimits, encode

    calls: dict[str, tuple[str, Any]] = {}
    for folder in folders:
        tenants = tenants_of(folder)
        for file in sorted((folder / "cases").glob("*.yaml")):
            for case, facts in load_cases(file).calls(tenants):
                calls.setdefault(encode(facts, FactLimits()), (f"{file.stem}: {case.name}", facts))
    asked = [facts for _, facts in calls.values()]
    was, becomes = await decide_all(old, asked), await decide_all(new, asked)
    return [
        {
            "case": name,
            "tenant": facts["tenant"]["id"],
            "action": facts["action"],
            "purpose": facts["purpose"],
            "before": _verdict(one),
            "after": _verdict(other),
        }
        for (name, facts), one, other in zip(calls.values(), was, becomes, strict=True)
        if _verdict(one) != _verdict(other)
    ]


def _verdict(decision: Any) -> str:
    """Allowed under what, or refused by what: what a change of the law changes."""
    if not decision.allowed:
        return "refused by " + ", ".join(sorted({one.law or one.code for one in decision.reasons}))
    duties = sorted(f"{one.kind} {one.value}" for one in decision.obligations)
    lifted = f" by {', '.join(sorted(decision.exemptions))}" if decision.exemptions else ""
    return f"allowed{lifted}" + (f" ({', '.join(duties)})" if duties else "")


def _results(checked: list[Checked]) -> RenderableType:
    shown = table("cases", "engine", ">calls", "")
    for one in checked:
        said = "[red]wrong[/]" if one.wrong else "[green]as they say[/]"
        shown.add_row(safe(one.file.stem), one.engine, f"{one.calls:,}", said)
    wrong = [f"{one.file.stem}, {one.engine}: {told}" for one in checked for told in one.wrong]
    engines = Counter(one.engine for one in checked)
    total = sum(one.calls for one in checked)
    verdict = f"{counted(total, 'call')} on {', '.join(engines)}, {len(wrong)} wrong"
    return Group(shown, *map(safe, wrong[:_MOST_WRONG]), f"[bold]{safe(verdict)}[/]")


def _told(found: list[Change], differing: list[dict[str, Any]]) -> RenderableType:
    entries = table("", "entry", "what")
    for one in found:
        colour = _COLOURS[one.kind]
        entries.add_row(f"[{colour}]{one.kind}[/]", safe(one.place), safe(one.words))
    if not differing:
        return Group(entries, "", "[dim]every case's call is decided as before[/]")
    cases = table("call", "before", "after")
    for call in differing:
        who = f"{call['case']}\n{call['tenant']} {call['action']} {call['purpose']}"
        cases.add_row(safe(who), safe(call["before"]), safe(call["after"]))
    return Group(
        entries, "", cases, f"[bold]{counted(len(differing), 'call')} decided otherwise[/]"
    )
