"""Commands that ask the law, read the ledger and work on the policies."""

from __future__ import annotations

import typer

from beholden.cli.commands import (
    archive,
    evidence,
    explain,
    ledger,
    notices,
    policy,
    policy_serve,
    policy_simulate,
    policy_work,
    proof,
)
from beholden.cli.tree.hang import group, hang

_PANEL = "Ask the law"


def ask_the_law(app: typer.Typer) -> None:
    """Hangs them in."""
    hang(
        app,
        explain.explain,
        "explain face.search_by_image --as metro-police --purpose criminal_investigation",
        "explain face.search --fact min_similarity=0.95 --fact max_results=5",
        panel=_PANEL,
    )
    under = group(app, "policy", "The law: in force, at rest, and tried out.", _PANEL)
    hang(under, policy.status, "policy status --as beholden-ops --role auditor")
    hang(under, policy.shadow, "policy shadow --as beholden-ops --role operator")
    hang(
        under,
        policy_work.check,
        "policy test",
        "policy test policies/cases/amazon-2021.yaml",
        name="test",
    )
    hang(
        under,
        policy_work.bundle,
        "policy bundle bundle.tar.gz",
        "policy bundle bundle.tar.gz --key signing.pem",
    )
    hang(
        under,
        policy_serve.serve,
        "policy serve --key signing.pem --config opa.json",
    )
    hang(under, policy_work.sign, "policy sign bundle.tar.gz --key signing.pem")
    hang(under, policy_work.diff, "policy diff HEAD~1", "policy diff policies/ candidate/")
    hang(
        under,
        policy_simulate.simulate,
        "policy simulate --law candidate/",
        "policy simulate --law candidate/ --ledger export.jsonl --workers 8",
    )
    under = group(app, "evidence", "Signed authorisations and consents.", _PANEL)
    hang(
        under,
        evidence.key,
        "evidence key > entry.json  # for law/issuers/data.json of your policies",
    )
    hang(
        under,
        evidence.mint,
        "evidence mint authorisation --as metro-police --purpose criminal_investigation "
        "--action face.search_by_image --collection wanted --offence kidnapping > order.jwt",
    )
    hang(under, evidence.show, "evidence show order.jwt")
    under = group(app, "ledger", "What was decided, and whether the account of it holds.", _PANEL)
    hang(
        under,
        ledger.verify,
        "ledger verify --as beholden-ops --role auditor",
        "ledger verify --ledger sqlite:///var/ledger.db  # without a server",
        "ledger verify --ledger export.jsonl --key public.pem  # anywhere",
    )
    hang(under, ledger.show_all, "ledger list --denied --max 5", name="list")
    hang(
        under,
        archive.export,
        "ledger export ledger.jsonl",
        "ledger export ledger --format parquet --ledger postgresql://beholden@db/ledger",
        "ledger export - | jq -c 'select(.allowed == false) | .body.decision.reasons'",
    )
    hang(
        under,
        archive.backup,
        "ledger backup backup/ledger.db",
        "ledger backup backup/ledger.db --ledger sqlite:////var/lib/beholden/ledger.db",
    )
    hang(
        under,
        notices.notices,
        "ledger notices --waiting",
        "ledger notices --json | jq -c .body",
    )
    hang(under, proof.key, "ledger key > public.pem")
    hang(under, proof.prove, "ledger prove 019a5d0c-8a3e-7cc1-9d0e-3b1f0c9d2e11 --out proof.json")
    hang(
        under,
        proof.check_proof,
        "ledger check-proof proof.json --key public.pem",
        name="check-proof",
    )
    hang(
        under,
        archive.prune,
        "ledger prune --keep-days 365",
        "ledger prune --before 2026-01-01 --yes --ledger postgresql://beholden@db/ledger",
    )
