"""The only methods outside the guard: they tell nothing about any person or tenant."""

from __future__ import annotations

HEALTH = frozenset({"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"})

REFLECTION = frozenset(
    {
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    }
)


def open_methods(*, reflection: bool) -> frozenset[str]:
    """Health always; reflection where the operator leaves it on."""
    return HEALTH | REFLECTION if reflection else HEALTH
