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


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC. `name` is `beholden.v1.SearchService/SearchFaces`, `path` the same after a slash."""

    name: str
    action: str
    request: type[Message]
    response: type[Message]
    limits: Plan
    facts: FactPlan
    duties: DutyPlan

    @property
    def path(self) -> str:
        """The method as gRPC calls it."""
        return f"/{self.name}"


def read_methods(services: Iterable[ServiceDescriptor]) -> Mapping[str, Method]:
    """Every method of the services by its path.

    Raises AnnotationError naming every method that the guard could not keep: without an action,
    streaming (a stream's decision would have to be asked again, which is not done yet), with
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
    action: str = options.Extensions[policy_pb2.method_policy].action
    if not action:
        raise AnnotationError(f"{name}: has no action; set option (method_policy).action")
    if descriptor.client_streaming or descriptor.server_streaming:
        raise AnnotationError(f"{name}: streams, and the guard cannot yet ask again during one")
    return Method(
        name=name,
        action=action,
        request=GetMessageClass(descriptor.input_type),
        response=GetMessageClass(descriptor.output_type),
        limits=compile_limits(descriptor.input_type),
        facts=compile_facts(descriptor.input_type),
        duties=compile_duties(descriptor.output_type),
    )
