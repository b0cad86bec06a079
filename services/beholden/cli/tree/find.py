"""Commands that keep galleries and search them."""

from __future__ import annotations

import typer

from beholden.cli.commands import (
    collections,
    erase,
    faces,
    index,
    people,
    reembed,
    search,
    transfers,
)
from beholden.cli.tree.hang import group, hang

_PANEL = "Keep and find"


def keep_and_find(app: typer.Typer) -> None:
    """Hangs them in."""
    under = group(app, "collections", "Make, list and delete galleries of faces.", _PANEL)
    hang(under, collections.create, "collections create news --name 'News archive'")
    hang(under, collections.show_all, "collections list --json | jq -r .name", name="list")
    hang(under, collections.get, "collections get news")
    hang(under, collections.delete, "collections delete news --yes")
    hang(under, transfers.export, "collections export news backup/ --role custodian")
    hang(
        under,
        transfers.restore,
        "collections restore backup/ --role custodian",
        "collections restore backup/ --to news-2 --role custodian",
    )
    hang(under, transfers.copy, "collections copy news archive --role custodian")
    hang(
        under, reembed.reembed, "collections reembed news news-2 photos/  # after a change of model"
    )
    hang(
        app,
        index.index,
        "index news photos/ --source archive --legal-basis 'press law'",
        "index news portrait.jpg --external-id ada --consent-id form-17",
        "index news list.csv --resume done.txt  # columns: file, external_id, source, ...",
        "index news s3://desk/photos --source desk --legal-basis 'press law'",
        "index news ready.parquet --model dlib_resnet_v1@1 --source import --legal-basis 'press law'",
        "index news photos/ --json > log.jsonl  # a line for each picture",
        panel=_PANEL,
    )
    hang(
        app,
        search.search,
        "search news crowd.jpg --purpose editorial_research",
        "search news crowd.jpg --max 3 --min-similarity 0.9 --draw found.png",
        "search news --face 8c1f6c3e-6a0e-5d3c-8f0e-2f6d2c9f2b11  # like one that is enrolled",
        panel=_PANEL,
    )
    under = group(app, "faces", "List and delete the faces of a collection.", _PANEL)
    hang(
        under,
        faces.show_all,
        "faces list news",
        "faces list news --consent-id form-17 --captured-before 2020-01-01",
        name="list",
    )
    hang(under, faces.delete, "faces delete news 8c1f6c3e-6a0e-5d3c-8f0e-2f6d2c9f2b11 --yes")
    under = group(app, "people", "Several faces of one human being, searched as one.", _PANEL)
    hang(under, people.create, "people create news ada --name 'Ada Lovelace'")
    hang(under, people.associate, "people associate news ada 8c1f6c3e-6a0e-5d3c-8f0e-2f6d2c9f2b11")
    hang(under, people.search, "people search news crowd.jpg --max 3")
    hang(under, people.show_all, "people list news", name="list")
    hang(under, people.get, "people get news ada")
    hang(
        under,
        people.disassociate,
        "people disassociate news ada 8c1f6c3e-6a0e-5d3c-8f0e-2f6d2c9f2b11",
    )
    hang(under, people.delete, "people delete news ada --yes")
    hang(
        app,
        erase.erase,
        "erase --person ada",
        "erase --consent-id form-17 --dry-run",
        "erase portrait.jpg --min-similarity 0.95  # lists the faces, and asks",
        panel=_PANEL,
    )
