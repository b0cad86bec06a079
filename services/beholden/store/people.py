"""People in a gallery: kept whole while their faces change, whoever dies in between.

A change writes first that it has begun (a row that is not settled), then the members, then the person
made anew of them. What is cut short is found by that first row and finished by `repair`. Two processes
that change one person at once each look again after they wrote.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from threading import Lock
from weakref import WeakValueDictionary

import numpy as np

from beholden.core.errors import AlreadyExists, NotFound, Unavailable
from beholden.core.faces import Template
from beholden.core.gallery import MAX_FACES, Association, Person, PersonMatch, Unassociated
from beholden.store.backend import Backend
from beholden.store.faces import Faces
from beholden.store.people_rows import (
    Kept,
    kept_to_row,
    members_to_rows,
    new,
    newer,
    newest,
    person_key,
    row_to_kept,
    row_to_member,
    with_faces,
)
from beholden.store.rows import (
    Entry,
    Row,
    alive,
    between,
    checked_templates,
    equals,
    face_hex,
    one_of,
    tagged,
)
from beholden.store.schema import members_name, people_name

_FIELDS = ("id", "scope", "template", "detail", "expire", "settled")
_MEMBER = ("id", "face", "detail")
_ATTEMPTS = 5


class People:
    """Blocking; for worker threads."""

    def __init__(self, backend: Backend, prefix: str, faces: Faces) -> None:
        self._backend = backend
        self._prefix = prefix
        self._faces = faces
        self._locks: WeakValueDictionary[str, Lock] = WeakValueDictionary()

    def add(self, entry: Entry, person: Person) -> Person:
        """Raises AlreadyExists; Unavailable when two processes add the same one at once."""
        kept = new(entry.scope, person, entry.collection.dimension)
        with self._changing(entry):
            if self._rows(entry, person.id, strong=True):
                raise AlreadyExists(_name(entry, person.id))
            self._put(entry, kept)
            if len(self._rows(entry, person.id, strong=True)) > 1:
                self._remove(entry, [kept])
                raise Unavailable("milvus", f"{_name(entry, person.id)} is being made right now")
        return kept.person

    def get(self, entry: Entry, person: str) -> Person:
        """Raises NotFound, and only after a strong read."""
        found = self._rows(entry, person) or self._rows(entry, person, strong=True)
        if not found:
            raise NotFound(_name(entry, person))
        return newest(found)[0].person

    def page(self, entry: Entry, after: str, limit: int) -> list[Person]:
        """The first `limit` by id after `after`, which may be empty; fewer while one is changed."""
        low = f"{person_key(entry.scope, after)}/" if after else f"{entry.scope}."
        expression = f"{equals('scope', entry.scope)} and {between(low, f'{entry.scope}/')}"
        rows = self._backend.client.page(self._people(entry), expression, _FIELDS, limit)
        return [kept.person for kept in newest(rows)]

    def count(self, entry: Entry) -> int:
        """Everybody's rows."""
        return self._backend.count(self._people(entry), entry.scope)

    def remove(self, entry: Entry, person: str) -> Person:
        """Their members first, so that no face is left with nobody. Raises NotFound."""
        with self._changing(entry):
            begun = self._begin(entry, person)
            self._backend.confirm(self._people(entry), [kept_to_row(begun[0])])
            self._remove_members(entry, self._members(entry, person))
            self._remove(entry, begun)
        return begun[0].person

    def associate(self, entry: Entry, person: str, faces: Sequence[str]) -> Association:
        """Raises NotFound (person)."""
        left: list[tuple[str, Unassociated]] = []
        with self._changing(entry):
            begun = self._begin(entry, person)
            owners = self.owners(entry, faces)
            there = {face.id for face in self._faces.get(entry, faces)}
            room = MAX_FACES - len(self._members(entry, person))
            fresh: list[str] = []
            for face in dict.fromkeys(faces):
                if owners.get(face) == person:
                    continue
                if problem := _problem(
                    face in there, taken=face in owners, full=len(fresh) >= room
                ):
                    left.append((face, problem))
                else:
                    fresh.append(face)
            if fresh:
                lost = self._join(entry, person, fresh)
                left += [(face, Unassociated.FACE_OF_ANOTHER_PERSON) for face in lost]
            return Association(self._settle(entry, begun).person, tuple(left))

    def disassociate(self, entry: Entry, person: str, faces: Sequence[str]) -> Association:
        """Raises NotFound (person)."""
        with self._changing(entry):
            begun = self._begin(entry, person)
            rows = {row_to_member(row)[0]: row for row in self._members(entry, person)}
            self._remove_members(entry, [rows[face] for face in faces if face in rows])
            left = [
                (face, Unassociated.FACE_NOT_FOUND)
                for face in dict.fromkeys(faces)
                if face not in rows
            ]
            return Association(self._settle(entry, begun).person, tuple(left))

    def owners(self, entry: Entry, faces: Sequence[str]) -> dict[str, str]:
        """Whose the faces are, for those that are somebody's."""
        return dict(map(row_to_member, self._members_of(entry, faces)))

    @contextmanager
    def without(self, entry: Entry, faces: Sequence[str]) -> Iterator[None]:
        """Around the removal of faces: whose they were has them no more afterwards."""
        people = sorted(set(self.owners(entry, faces).values()))
        with self._changing(entry) if people else nullcontext():
            begun = [self._begin(entry, person) for person in people if self._rows(entry, person)]
            yield
            for one in begun:
                self._settle(entry, one)

    def ids(self, entry: Entry, person: str) -> list[str]:
        """The faces that are a person's by now; none of nobody."""
        return [row_to_member(row)[0] for row in self._members(entry, person)]

    def nearest(
        self, entry: Entry, template: Template, limit: int, min_cosine: float
    ) -> tuple[PersonMatch, ...]:
        """Cosine descending, then id; of those who have faces, none expired. Raises InvalidArgument."""
        (probe,) = checked_templates("template", [template], entry.collection.dimension)
        scope, living = equals("scope", entry.scope), alive(time.time_ns())
        rows = self._backend.client.nearest(
            self._people(entry),
            f"{scope} and faces > 0 and {living}",
            probe,
            limit,
            self._faces.search_params(limit),
            _FIELDS,
        )
        matches = [PersonMatch(kept.person, _cosine(kept.template, probe)) for kept in newest(rows)]
        close = [match for match in matches if match.cosine >= min_cosine]
        return tuple(sorted(close, key=lambda match: (-match.cosine, match.person.id)))

    def repair(self, entry: Entry, person: str) -> None:
        """Finishes a change of them that was cut short, where they are still there."""
        with self._changing(entry):
            if rows := self._rows(entry, person, strong=True):
                self._settle(entry, sorted(map(row_to_kept, rows), key=lambda kept: kept.key))

    def unsettled(self, dimension: int, *, before_ns: int) -> list[Kept]:
        """Whose change began before an instant and has not ended."""
        name = people_name(self._prefix, dimension)
        rows = self._backend.client.all(name, "settled == false", _FIELDS, strong=True)
        return [kept for kept in map(row_to_kept, rows) if kept.written_ns < before_ns]

    def purge(self, entry: Entry) -> None:
        """Everybody of a gallery."""
        self._backend.purge(members_name(self._prefix), entry.scope)
        self._backend.purge(self._people(entry), entry.scope)

    def _begin(self, entry: Entry, person: str) -> list[Kept]:
        """The person's rows, newest first, one that is not settled before the others.

        The read is strong: those after it see as much without waiting.
        """
        rows = self._rows(entry, person, strong=True)
        if not rows:
            raise NotFound(_name(entry, person))
        before = sorted(map(row_to_kept, rows), key=lambda kept: kept.key)
        begun = replace(newer(before[0], time.time_ns()), settled=False)
        self._backend.put(self._people(entry), [kept_to_row(begun)])
        return [begun, *before]

    def _settle(self, entry: Entry, before: Sequence[Kept]) -> Kept:
        """The person, made anew of the members that there are, in the place of the rows `before`."""
        person = before[0].person.id
        members = self._members(entry, person)
        made = before[0]
        for _ in range(_ATTEMPTS):
            faces = self._faces.get(entry, [row_to_member(row)[0] for row in members])
            there = {face_hex(face.id) for face in faces}
            self._remove_members(entry, [row for row in members if row["face"] not in there])
            made = with_faces(newer(made, time.time_ns()), faces)
            self._put(entry, made)
            members = self._members(entry, person)
            if {row["face"] for row in members} == there:
                self._remove(entry, before)
                return made
            before = [made, *before]
        raise Unavailable("milvus", f"{_name(entry, person)} is being changed elsewhere")

    def _join(self, entry: Entry, person: str, faces: Sequence[str]) -> list[str]:
        """Writes members, and takes back those that another process has given to somebody else."""
        name, rows = members_name(self._prefix), members_to_rows(entry.scope, person, faces)
        self._backend.put(name, rows)
        self._backend.confirm(name, rows)
        members = map(row_to_member, self._members_of(entry, faces))
        lost = sorted({face for face, owner in members if owner != person})
        self._remove_members(entry, members_to_rows(entry.scope, person, lost))
        return lost

    def _rows(self, entry: Entry, person: str, *, strong: bool = False) -> list[Row]:
        key = person_key(entry.scope, person)
        expression = f"{equals('scope', entry.scope)} and {between(f'{key}.', f'{key}/')}"
        return self._backend.client.all(self._people(entry), expression, _FIELDS, strong=strong)

    def _members(self, entry: Entry, person: str) -> list[Row]:
        expression = f"{equals('scope', entry.scope)} and {tagged('person', [person])}"
        rows = self._backend.client.all(
            members_name(self._prefix), expression, _MEMBER, strong=False
        )
        return [row for row in rows if row_to_member(row)[1] == person]

    def _members_of(self, entry: Entry, faces: Sequence[str]) -> list[Row]:
        keys = sorted({key for key in map(face_hex, faces) if key})
        if not keys:
            return []
        expression = f"{equals('scope', entry.scope)} and {one_of('face', keys)}"
        name = members_name(self._prefix)
        return self._backend.client.all(name, expression, _MEMBER, strong=False)

    def _put(self, entry: Entry, kept: Kept) -> None:
        rows = [kept_to_row(kept)]
        self._backend.put(self._people(entry), rows)
        self._backend.confirm(self._people(entry), rows)

    def _remove(self, entry: Entry, rows: Sequence[Kept]) -> None:
        keys = [kept.key for kept in rows]
        self._backend.remove(self._people(entry), entry.scope, keys)

    def _remove_members(self, entry: Entry, rows: Sequence[Row]) -> None:
        if rows:
            keys = [row["id"] for row in rows]
            self._backend.remove(members_name(self._prefix), entry.scope, keys)

    def _people(self, entry: Entry) -> str:
        return people_name(self._prefix, entry.collection.dimension)

    def _changing(self, entry: Entry) -> Lock:
        """Held for a change: this process makes one at a time in a gallery."""
        return self._locks.setdefault(entry.scope, Lock())


def _problem(there: bool, *, taken: bool, full: bool) -> Unassociated | None:
    if not there:
        return Unassociated.FACE_NOT_FOUND
    if taken:
        return Unassociated.FACE_OF_ANOTHER_PERSON
    return Unassociated.PERSON_IS_FULL if full else None


def _name(entry: Entry, person: str) -> str:
    return f"collections/{entry.collection.id}/people/{person}"


def _cosine(template: Template, probe: Template) -> float:
    """Of our own: an engine's is of one of a person's rows, and may not be of the newest."""
    return float(np.clip(np.dot(template.astype(np.float64), probe), -1, 1))
