"""The law and the protos speak of the same actions and the same classes of fields."""

from typing import Any

from beholden.v1 import (
    detection_pb2,
    embedding_pb2,
    governance_pb2,
    moderation_pb2,
    policy_pb2,
    search_pb2,
)
from tests.contract.policy_engines import law

FILES: list[Any] = [
    module.DESCRIPTOR
    for module in (detection_pb2, embedding_pb2, governance_pb2, moderation_pb2, search_pb2)
]
LAW: Any = law().data["law"]


def test_every_rpc_has_its_action_in_the_law() -> None:
    declared = {
        method.GetOptions().Extensions[policy_pb2.method_policy].action
        for file in FILES
        for service in file.services_by_name.values()
        for method in service.methods
    }
    assert declared <= set(LAW["actions"])


def test_what_the_law_withholds_can_be_withheld() -> None:
    redactable = {
        field.GetOptions().Extensions[policy_pb2.field_policy].redact
        for file in FILES
        for message in file.message_types_by_name.values()
        for field in message.fields
    }
    withheld = {
        name
        for table in (LAW["redaction"]["kinds"], LAW["redaction"]["purposes"])
        for names in table.values()
        for name in names
    }
    assert withheld
    assert withheld <= redactable
