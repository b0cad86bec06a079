"""What a call gives: the answer, and what the ledger and the law say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from beholden.client.errors import pairs

Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True, slots=True)
class Answer(Generic[Response]):
    """A response, the decision that let it through, and until when it may be kept."""

    message: Response
    decision_id: str
    """The decision's name in the ledger."""
    delete_by: str = ""
    """When the answer must be gone, as ISO 8601; empty where the law does not say."""


def answer(message: Response, trailing: Any) -> Answer[Response]:
    """The answer of a call that is over, from its trailing metadata."""
    said = pairs(trailing)
    return Answer(message, said.get("beholden-decision-id", ""), said.get("beholden-delete-by", ""))
