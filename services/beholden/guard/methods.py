"""Reads from the descriptors, once, what the guard must know of every method; refuses to start without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from beholden.guard.facts import FactPlan, compile_facts
from beholden.guard.fields import AnnotationError
from beholden.guard.obligations import DutyPlan, compile_duties
from beholden.guard.validation import Plan, compile_limits
from beholden.v1 import policy_pb2

THEIRS: Mapping[str, str] = {
    f"google.longrunning.Operations/{method}": f"operation.{action}"
    for method, action in {
        "GetOperation": "get",
        "ListOperations": "list",
        "CancelOperation": "cancel",
        "WaitOperation": "wait",
        "DeleteOperation": "delete",
    }.items()
}
"""The actions of methods whose protos are not ours to annotate."""


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC. `name` is `beholden.v1.SearchService/SearchFaces`, `path` the same after a slash.

    `client_streaming`: many messages come, of which the first is asked about; `server_streaming`:
    many answers go. What a `realtime` one does is live, whatever its caller declares.
    """

    name: str
    action: str
    realtime: bool
    request: type[Message]
    response: type[Message]
    limits: Plan
    facts: FactPlan
    duties: DutyPlan
    client_streaming: bool
    server_streaming: bool

    @property
    def streams(self) -> bool:
        """Whether it lasts, so that the law is asked again meanwhile."""
        return self.client_streaming or self.server_streaming

    @property
    def reviewable(self) -> bool:
        """Whether its answer can wait for people; one of many cannot."""
        return self.duties.review is not None and not self.server_streaming

    @property
    def path(self) -> str:
        """The method as gRPC calls it."""
        return f"/{self.name}"


def read_methods(services: Iterable[ServiceDescriptor]) -> Mapping[str, Method]:
    """Every method of the services by its path.

    Raises AnnotationError naming every method that the guard could not keep: without an action, with
    annotations that cannot be kept.
    """
    methods: dict[str, Method] = {}
    problems: list[str] = []
    for descriptor in (method for service in services for method in service.methods):
        try:
            method = _read(descriptor)
            methods[method.path] = method
        except AnnotationError as error:
            problems.append(str(error))
    if problems:
        raise AnnotationError("; ".join(dict.fromkeys(problems)))
    return methods


def _read(descriptor: MethodDescriptor) -> Method:
    name = f"{descriptor.containing_service.full_name}/{descriptor.name}"
    options: Any = descriptor.GetOptions()
    policy = options.Extensions[policy_pb2.method_policy]
    action = policy.action or THEIRS.get(name, "")
    if not action:
        raise AnnotationError(f"{name}: has no action; set option (method_policy).action")
    return Method(
        name=name,
        action=action,
        realtime=policy.realtime,
        request=GetMessageClass(descriptor.input_type),
        response=GetMessageClass(descriptor.output_type),
        limits=compile_limits(descriptor.input_type),
        facts=compile_facts(descriptor.input_type),
        duties=compile_duties(descriptor.output_type),
        client_streaming=descriptor.client_streaming,
        server_streaming=descriptor.server_streaming,
    )
