"""Commands that run Beholden and what it needs."""

from __future__ import annotations

import typer

from beholden.cli.commands import (
    demo,
    engines,
    evaluate,
    migrate,
    models,
    serve,
    token,
    up,
    version,
)
from beholden.cli.tree.hang import group, hang

_PANEL = "Run"


def run(app: typer.Typer) -> None:
    """Hangs them in."""
    hang(app, demo.demo, "demo", "demo --pictures ~/Pictures --out out", panel=_PANEL)
    hang(
        app,
        serve.serve,
        "serve",
        "serve search governance --listen 127.0.0.1:50052  # as a pod does",
        panel=_PANEL,
    )
    hang(
        app,
        token.token,
        "token --as daily-herald",
        "token --as daily-herald --principal ada --lifetime 600",
        panel=_PANEL,
    )
    hang(app, up.up, "up", "up --without milvus  # its embedded twin instead", panel=_PANEL)
    hang(app, up.down, "down", panel=_PANEL)
    hang(app, up.status, "status", "status --json | jq '.units[].state'", panel=_PANEL)
    hang(
        app,
        migrate.migrate,
        "migrate file:var/faces.db http://127.0.0.1:19530",
        "migrate http://127.0.0.1:19530 file:var/faces.db",
        panel=_PANEL,
    )
    under = group(app, "engines", "The real engines: Triton, Milvus, OPA, PostgreSQL.", _PANEL)
    hang(under, engines.install, "engines install", "engines install triton opa")
    hang(under, engines.show_all, "engines list", name="list")
    under = group(app, "models", "Pull, list and verify the models.", _PANEL)
    hang(
        under,
        models.pull,
        "models pull",
        "models pull centerface --mirror /mnt/weights  # no network",
    )
    hang(under, models.show_all, "models list", name="list")
    hang(under, models.verify, "models verify", "models verify --complete && beholden serve")
    under = group(app, "evaluate", "Hold the models against pictures of your own.", _PANEL)
    hang(
        under,
        evaluate.models,
        "evaluate models people/  # people/ada/1.jpg, people/ada/2.jpg, people/bob/1.jpg ...",
        "evaluate models people/ --groups crowds/ --json | jq .eer",
    )
    hang(app, version.version, "version", panel=_PANEL)
