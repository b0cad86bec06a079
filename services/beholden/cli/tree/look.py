"""Commands that look at pictures."""

from __future__ import annotations

import typer

from beholden.cli.commands import (
    compare,
    detect,
    examples,
    labels,
    moderate,
    redact,
    text,
    video,
    watch,
)
from beholden.cli.tree.hang import group, hang

_PANEL = "Look"


def look(app: typer.Typer) -> None:
    """Hangs them in."""
    hang(
        app,
        detect.detect,
        "detect crew.jpg --as daily-herald",
        "detect crew.jpg --as daily-herald --draw faces.png  # and look at it",
        "detect crew.jpg --as daily-herald --json | jq '.faces[].confidence'",
        panel=_PANEL,
    )
    hang(
        app,
        labels.labels,
        "labels street.jpg --as daily-herald",
        "labels street.jpg --as daily-herald --looks --draw objects.png",
        "labels street.jpg --as daily-herald --category 'Animals and Pets' --not Dog",
        panel=_PANEL,
    )
    hang(
        app,
        text.text,
        "text sign.jpg --as daily-herald",
        "text page.png --as daily-herald --draw read.png",
        "text form.png --as daily-herald --region 0,0.8,1,1  # the lowest fifth",
        "text page.png --as daily-herald --json | jq -r '.texts[].text'",
        panel=_PANEL,
    )
    hang(
        app,
        compare.compare,
        "compare passport.jpg crowd.jpg --as daily-herald --purpose editorial_research",
        "compare a.jpg b.jpg --as daily-herald --min-similarity 0.95 --draw b-alike.png",
        panel=_PANEL,
    )
    hang(
        app,
        redact.redact,
        "redact crowd.jpg safe.jpg --faces --as daily-herald",
        "redact letter.png safe.png --faces --text --style box --as daily-herald",
        "redact photos/ safe/ --faces --unsafe --as daily-herald  # a folder into another",
        panel=_PANEL,
    )
    hang(
        app,
        moderate.moderate,
        "moderate upload.jpg --as acme-platform",
        "moderate upload.jpg --as acme-platform --min-confidence 0.8 --json",
        "moderate --list --as acme-platform  # what can be told here, and what cannot",
        panel=_PANEL,
    )
    under = group(app, "examples", "Teach moderation a label of one's own by pictures.", _PANEL)
    hang(
        under,
        examples.add,
        "examples add logos/ --label 'rival logo' --as acme-platform",
        "examples add uploads/ --ordinary --as acme-platform  # what it must not be told of",
    )
    hang(under, examples.show_all, "examples list --json | jq -r .label", name="list")
    hang(under, examples.delete, "examples delete 8c1f6c3e-6a0e-5d3c-8f0e-2f6d2c9f2b11 --yes")
    hang(
        app,
        video.video,
        "video gate.mp4 --features people,activities --as daily-herald",
        "video gate.mp4 --features people,faces --draw seen.mp4 --timeline seen.png --as daily-herald",
        "video street.mp4 --blur-faces safe.mp4 --as daily-herald",
        "video gate.mp4 --stored --features segments --as daily-herald --json",
        panel=_PANEL,
    )
    hang(
        app,
        watch.watch,
        "watch rtsp://camera.local/gate --as daily-herald --private",
        "watch gate.mp4 --features people,faces --as daily-herald",
        "watch rtsp://camera.local/gate --features face-search --collection staff --as daily-herald",
        "watch - --features labels --json --as daily-herald < street.ts | jq .event",
        panel=_PANEL,
    )
