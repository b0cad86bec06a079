"""`python -m tests.bench.scale`: what galleries of 100 million and 1 billion faces need, by arithmetic.

`FIGURES` are measured; everything else in the table is computed from them and from what is assumed of
a machine. docs/scale.md holds the table, and a test holds it to what this prints.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

MIB, GIB = 2**20, 2**30


@dataclass(frozen=True, slots=True)
class Figures:
    """Of runs over a million faces of 128 dimensions, on two cores, HNSW with M 16."""

    faces: int = 1_000_000
    resident: int = 1_800 * 10**6
    """Bytes of the server's memory with all loaded."""
    resident_idle: int = 259 * 10**6
    index_seconds: float = 419
    cores: int = 2
    enrolled_per_second: float = 9_273
    """Ready templates, through the whole service."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a query node is assumed to be; a part of its memory is left to merging and to the system."""

    memory: int = 128 * GIB
    cores: int = 32
    usable: float = 0.7
    price_an_hour: float = 1.6
    """Assumed, in dollars: put in your own."""


@dataclass(frozen=True, slots=True)
class Index:
    """How templates are kept: `vector` bytes each of them takes in memory, `links` those of the graph."""

    name: str
    vector: float
    links: float
    on_disk: bool = False


DIMENSION = 128
_LINKS = 2 * 16 * 4.0
"""HNSW keeps 2 M links of 4 bytes on its lowest layer, where nearly all of them are."""

INDEXES = (
    Index("HNSW", DIMENSION * 4.0, _LINKS),
    Index("HNSW, SQ8", DIMENSION * 1.0, _LINKS),
    Index("IVF, SQ8", DIMENSION * 1.0, 0.0),
    Index("DiskANN", DIMENSION / 4, 0.0, on_disk=True),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a gallery of `faces` under `index` needs; `build_hours` on all machines together."""

    faces: int
    index: Index
    memory: float
    disk: float
    machines: int
    build_hours: float
    enrol_hours: float
    dollars_a_month: float


def beside(figures: Figures) -> float:
    """Bytes a face takes beside its vector and links: its key, scope, detail and the engine's own."""
    measured = (figures.resident - figures.resident_idle) / figures.faces
    return measured - INDEXES[0].vector - INDEXES[0].links


def plan(faces: int, index: Index, figures: Figures, machine: Machine) -> Plan:
    """The need of one copy of everything.

    DiskANN keeps full vectors and links on disk and a compressed vector in memory; what lies beside
    the vectors may be left on disk by it alone (memory-mapped), and is read for those found only.
    """
    rest = beside(figures)
    whole = INDEXES[0].vector + INDEXES[0].links + rest
    a_face = index.vector + index.links + (0.1 * rest if index.on_disk else rest)
    memory = faces * a_face
    machines = max(1, math.ceil(memory / (machine.memory * machine.usable)))
    core_seconds = figures.index_seconds * figures.cores * faces / figures.faces
    return Plan(
        faces=faces,
        index=index,
        memory=memory,
        disk=faces * whole * 2,  # the log and merged copies of it, until old ones are dropped
        machines=machines,
        build_hours=core_seconds / (machines * machine.cores) / 3600,
        enrol_hours=faces / figures.enrolled_per_second / 3600,
        dollars_a_month=machines * machine.price_an_hour * 730,
    )


def table(figures: Figures | None = None, machine: Machine | None = None) -> str:
    """The plans as a Markdown table."""
    figures, machine = figures or Figures(), machine or Machine()
    lines = [
        "| faces | index | memory | disk | query nodes | index built in | enrolled in | a month |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for faces in (100_000_000, 1_000_000_000):
        for index in INDEXES:
            one = plan(faces, index, figures, machine)
            lines.append(
                f"| {faces // 1_000_000:,} million | {index.name} | {one.memory / GIB:,.0f} GiB |"
                f" {one.disk / GIB:,.0f} GiB | {one.machines} | {one.build_hours:,.1f} h |"
                f" {one.enrol_hours:,.1f} h | ${one.dollars_a_month:,.0f} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
