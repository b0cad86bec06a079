"""The faces in a gallery: read, listed and searched, those that have expired left out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from beholden.core.faces import Template
from beholden.core.gallery import Face, FaceFilter, Match
from beholden.store.backend import Backend
from beholden.store.rows import (
    NEVER,
    Entry,
    Row,
    alive,
    among,
    checked_templates,
    equals,
    face_keys,
    faces_after,
    faces_to_rows,
    row_to_face,
    tagged,
    wanted_rows,
)
from beholden.store.schema import faces_name
from beholden.store.settings import StoreSettings

_FIELDS = ("id", "template", "detail")


class Faces:
    """Blocking; for worker threads."""

    def __init__(self, backend: Backend, settings: StoreSettings) -> None:
        self._backend = backend
        self._settings = settings

    def name(self, entry: Entry) -> str:
        """The Milvus collection that a gallery's faces are in."""
        return faces_name(self._settings.prefix, entry.collection.dimension)

    def get(self, entry: Entry, ids: Sequence[str]) -> tuple[Face, ...]:
        """Those of `ids` that are there, each once, in the order asked."""
        now = time.time_ns()
        keys = face_keys(entry.scope, ids)
        rows = self._backend.client.by_id(self.name(entry), keys, _FIELDS)
        found = {row["id"]: row_to_face(row) for row in rows}
        faces = (found[key] for key in keys if key in found)
        return tuple(face for face in faces if (face.provenance.expire_ns or NEVER) > now)

    def put(self, entry: Entry, faces: Sequence[Face]) -> list[Row]:
        """The rows that they became, durable on return. Raises InvalidArgument."""
        rows = faces_to_rows(entry.scope, faces, entry.collection.dimension)
        self._backend.put(self.name(entry), rows)
        return rows

    def page(
        self,
        entry: Entry,
        after: str,
        limit: int,
        wanted: FaceFilter,
        among_ids: Sequence[str] | None,
    ) -> tuple[Face, ...]:
        """The first `limit` by id after `after`, by the tags of what is wanted, and of these ids only."""
        parts = [faces_after(entry.scope, after), alive(time.time_ns()), *wanted_rows(wanted)]
        if among_ids is not None:
            if not among_ids:
                return ()
            parts.append(among(face_keys(entry.scope, among_ids)))
        expression = " and ".join(parts)
        rows = self._backend.client.page(self.name(entry), expression, _FIELDS, limit)
        return tuple(map(row_to_face, rows))

    def due(
        self, dimension: int, before_ns: int, consents: Sequence[str], limit: int
    ) -> list[tuple[str, Face]]:
        """Faces that expire before an instant or name one of `consents`, each with its scope."""
        expression = f"expire < {before_ns}"
        if consents:
            expression = f"({expression} or {tagged('consent', consents)})"
        name = faces_name(self._settings.prefix, dimension)
        rows = self._backend.client.page(name, expression, (*_FIELDS, "scope"), limit)
        faces = [(str(row["scope"]), row_to_face(row)) for row in rows]
        return [
            (scope, face)
            for scope, face in faces
            if (face.provenance.expire_ns or NEVER) < before_ns
            or face.provenance.consent_id in consents
        ]

    def nearest(
        self, entry: Entry, template: Template, limit: int, min_cosine: float
    ) -> tuple[Match, ...]:
        """Cosine descending, then id; the faces without their templates. Raises InvalidArgument."""
        (probe,) = checked_templates("template", [template], entry.collection.dimension)
        now = time.time_ns()
        matches = self._matches(entry, "", probe, limit)
        if any((match.face.provenance.expire_ns or NEVER) <= now for match in matches):
            # Until they are swept away they must not take the others' places. Asked for always, that
            # would be looked up for every face of the gallery.
            matches = self._matches(entry, f" and {alive(now)}", probe, limit)
        close = [match for match in matches if match.cosine >= min_cosine]
        # An engine's cosines of one template differ in the seventh digit from segment to segment.
        close.sort(key=lambda match: (-round(match.cosine, 6), match.face.id))
        cosines = accumulate((match.cosine for match in close), min)
        return tuple(map(Match, (match.face for match in close), cosines))

    def search_params(self, limit: int) -> dict[str, int]:
        """For as many results, of faces or of people."""
        return (
            {"ef": max(self._settings.hnsw_ef, limit)}
            if self._backend.indexes.template == "HNSW"
            else {}
        )

    def _matches(self, entry: Entry, besides: str, probe: Template, limit: int) -> list[Match]:
        """The nearest for which also `besides` holds, in no order."""
        rows = self._backend.client.nearest(
            self.name(entry),
            f"{equals('scope', entry.scope)}{besides}",
            probe,
            limit,
            self.search_params(limit),
            ("detail",),
        )
        found = {row["id"]: row for row in rows}.values()
        return [Match(row_to_face(row), float(np.clip(row["cosine"], -1, 1))) for row in found]
