"""What each service needs, by what the tenants have set: models by their roles, and a store."""

from __future__ import annotations

from collections.abc import Mapping

from beholden.core.models import (
    ACTION_CLASSIFIER,
    FACE_DETECTOR,
    FACE_EMBEDDER,
    MODERATOR,
    OBJECT_DETECTOR,
    PICTURE_CLASSIFIER,
    PICTURE_EMBEDDER,
    POSE,
    TEXT_DETECTOR,
    TEXT_RECOGNISER,
    UNSAFE_DETECTOR,
)
from beholden.core.moderation import ModerationRules
from beholden.detection.attributes import ROLES as ATTRIBUTE_ROLES

SERVICES = ("detection", "embedding", "search", "moderation", "governance", "video")
"""What `beholden serve` can serve, by name."""

MODERATING = (MODERATOR, UNSAFE_DETECTOR, PICTURE_CLASSIFIER, OBJECT_DETECTOR)
"""The roles that may tell what is unsafe, where models/moderation.yaml has classes of their model."""

_MODERATE = {"moderation", "detection"}
"""The services that tell what is unsafe: one names it, the other hides it."""

_ROLES: Mapping[str, tuple[str, ...]] = {
    "detection": (
        FACE_DETECTOR,
        *ATTRIBUTE_ROLES,
        OBJECT_DETECTOR,
        PICTURE_CLASSIFIER,
        TEXT_DETECTOR,
        TEXT_RECOGNISER,
        MODERATOR,
        UNSAFE_DETECTOR,
    ),
    "embedding": (FACE_DETECTOR, FACE_EMBEDDER),
    "search": (FACE_DETECTOR, FACE_EMBEDDER),
    "moderation": MODERATING,
    "governance": (),
    "video": (
        FACE_DETECTOR,
        FACE_EMBEDDER,
        ACTION_CLASSIFIER,
        POSE,
        TEXT_DETECTOR,
        TEXT_RECOGNISER,
        *MODERATING,
    ),
}


def roles_of(service: str, rules: Mapping[str, ModerationRules]) -> tuple[str, ...]:
    """What a service asks, by what the tenants have set."""
    roles = _ROLES[service]
    if service == "moderation" and any(own.blocklists for own in rules.values()):
        roles += (TEXT_DETECTOR, TEXT_RECOGNISER)
    if service in _MODERATE and any(own.custom for own in rules.values()):
        roles += (PICTURE_EMBEDDER,)
    return roles


def keeps(service: str, rules: Mapping[str, ModerationRules]) -> bool:
    """Whether a service keeps anything: galleries, or tenants' examples."""
    custom = any(own.custom for own in rules.values())
    return service == "search" or (service in _MODERATE and custom)
