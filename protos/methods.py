"""Writes beholden.client's methods, one for each RPC, with types and the words of the protos."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "services"))

from beholden.v1 import policy_pb2

_SCALARS = {
    FieldDescriptorProto.TYPE_DOUBLE: "float",
    FieldDescriptorProto.TYPE_FLOAT: "float",
    FieldDescriptorProto.TYPE_BOOL: "bool",
    FieldDescriptorProto.TYPE_STRING: "str",
    FieldDescriptorProto.TYPE_BYTES: "bytes",
}
_WELL_KNOWN = {
    "google.protobuf.Timestamp": "datetime | timestamp_pb2.Timestamp",
    "google.protobuf.Duration": "timedelta | duration_pb2.Duration",
    "google.protobuf.Struct": "Mapping[str, Any] | struct_pb2.Struct",
}
_REPEATED = FieldDescriptorProto.LABEL_REPEATED
_SERVICE, _METHOD = 6, 2  # the fields of a file and of a service, by which comments are found

_HEAD = '''"""Generated from protos/beholden/v1 by protos/methods.py; never edited."""

from __future__ import annotations

from collections.abc import {collections}
from datetime import datetime, timedelta
from typing import Any, Unpack

from google.longrunning import operations_pb2
from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2

from beholden.client.answers import Answer
from beholden.client.{module} import {base}, {prefix}Pages, {prefix}Stream
from beholden.client.declarations import Said
from beholden.client.operations import {prefix}Operation
from beholden.client.requests import Content, Rpc
from beholden.v1 import (
{protos}
)


class {prefix}Client({base}):
    """Every service, at one address.

    Args:
        address: host:port, or https://host:port for TLS.
        token: Who calls; or what gives the token, asked before each call{awaited}.
        ca: A PEM file of the authorities to believe; the system's if None.
        certificate: A PEM file of one's own certificates (mTLS).
        key: Their key's PEM file.
        **said: What holds for every call that does not say otherwise; `timeout` is 30 s by default.
            Streams have none unless it is said on the call.

    Every method takes the fields of its RPC's request, pictures and videos as bytes or path, and
    `said` for itself. What the protos call idempotent is tried again while nobody can answer, when
    the server says if it says when. Every method raises Error, and OSError for a file.
    """
'''


@dataclass(frozen=True, slots=True)
class Style:
    """What sets the two clients apart."""

    module: str
    prefix: str
    define: str
    wait: str
    many: str

    def head(self, protos: Iterable[str]) -> str:
        """The file's beginning."""
        collections = ("AsyncIterable, " if self.prefix else "") + "Iterable, Mapping"
        return _HEAD.format(
            collections=collections,
            module=self.module,
            prefix=self.prefix,
            base=f"{self.prefix}Calls",
            awaited=", and awaited" if self.prefix else "",
            protos="\n".join(f"    {proto}," for proto in sorted(protos)),
        )


STYLES = {
    "methods.py": Style("calls", "", "def", "", "Iterable[{0}]"),
    "async_methods.py": Style(
        "aio", "Async", "async def", "await ", "Iterable[{0}] | AsyncIterable[{0}]"
    ),
}


class Protos:
    """What the descriptors say."""

    def __init__(self, files: Iterable[FileDescriptorProto]) -> None:
        self.files = list(files)
        self._messages: dict[str, tuple[str, DescriptorProto]] = {}
        for file in self.files:
            for message in file.message_type:
                full = f"{file.package}.{message.name}"
                self._messages[full] = f"{_module(file.name)}.{message.name}", message
        self._enums = {
            f".{file.package}.{enum.name}": f"{_module(file.name)}.{enum.name}"
            for file in self.files
            for enum in file.enum_type
        }

    def message(self, name: str) -> tuple[str, DescriptorProto]:
        """A message by its full name: what Python calls it, and its descriptor."""
        return self._messages[name.removeprefix(".")]

    def type(self, field: FieldDescriptorProto) -> str:
        """What Python gives for the field."""
        one = self._one(field)
        return f"Iterable[{one}]" if field.label == _REPEATED else one

    def _one(self, field: FieldDescriptorProto) -> str:
        if field.type == FieldDescriptorProto.TYPE_ENUM:
            return f"{self._enums[field.type_name]} | str"
        if field.type != FieldDescriptorProto.TYPE_MESSAGE:
            return _SCALARS.get(field.type, "int")
        name = field.type_name.removeprefix(".")
        if name in _WELL_KNOWN:
            return _WELL_KNOWN[name]
        python, message = self.message(name)
        content = " | Content" if any(one.name == "content" for one in message.field) else ""
        return f"{python} | Mapping[str, Any]{content}"


def client(protos: Protos, style: Style) -> str:
    """The whole file."""
    written = []
    for file in protos.files:
        comments = {tuple(one.path): one.leading_comments for one in file.source_code_info.location}
        for number, service in enumerate(file.service):
            for place, method in enumerate(service.method):
                comment = comments.get((_SERVICE, number, _METHOD, place), "")
                path = f"/{file.package}.{service.name}/{method.name}"
                written.append(_method(protos, style, method, path, comment))
    body = "\n".join(written)
    used = set(re.findall(r"\b(\w+_pb2)\.", body))
    ours = {_module(file.name) for file in protos.files}
    return style.head(used & ours) + "\n" + indent(body, "    ", lambda line: bool(line.strip()))


def _method(
    protos: Protos, style: Style, method: MethodDescriptorProto, path: str, comment: str
) -> str:
    request, fields = protos.message(method.input_type)
    shape = _Shape(protos, style, method)
    parameters = [
        "self",
        *(_stream(style, protos, fields) if method.client_streaming else _fields(protos, fields)),
        "**said: Unpack[Said]",
    ]
    given = (
        _sent(fields)
        if method.client_streaming
        else ["{", *(f'    "{one.name}": {one.name},' for one in fields.field), "},"]
    )
    lines = [
        f"{shape.define} {_snake(method.name)}(",
        *(f"    {one}," for one in parameters),
        f") -> {shape.returns}:",
        *(f"    {line}".rstrip() for line in _docstring(comment)),
        f"    return {shape.wait}self.{shape.call}(",
        f'        Rpc("{path}", {request}, {shape.response}),',
        *(f"        {line}" for line in given),
        *(f"        {line}" for line in shape.rest),
        "        said,",
        "    )",
        "",
    ]
    return "\n".join(lines)


class _Shape:
    """Which call a method is, and what it returns."""

    def __init__(self, protos: Protos, style: Style, method: MethodDescriptorProto) -> None:
        self.define, self.wait = style.define, style.wait
        if method.output_type == ".google.longrunning.Operation":
            info: Any = method.options.Extensions[operations_pb2.operation_info]
            kinds = [
                protos.message(f"beholden.v1.{name}")[0]
                for name in (info.response_type, info.metadata_type)
            ]
            self.response = "operations_pb2.Operation"
            self.call, self.rest = "_operation", [f"({', '.join(kinds)}),"]
            self.returns = f"{style.prefix}Operation[{', '.join(kinds)}]"
            return
        response, fields = protos.message(method.output_type)
        self.response, self.rest = response, []
        if method.server_streaming:
            self.call = "_exchange" if method.client_streaming else "_stream"
            self.returns = f"{style.prefix}Stream[{response}]"
            self.define, self.wait = "def", ""
        elif any(one.name == "next_page_token" for one in fields.field):
            items = next(one for one in fields.field if one.label == _REPEATED)
            item = protos.message(items.type_name)[0]
            self.call, self.returns = "_pages", f"{style.prefix}Pages[{item}, {response}]"
            self.rest.append(f"lambda page: page.{items.name},")
            self.define, self.wait = "def", ""
        else:
            self.call = "_upload" if method.client_streaming else "_answer"
            self.returns = f"Answer[{response}]"


def _fields(protos: Protos, message: DescriptorProto) -> Iterator[str]:
    """What must be given, then by name what may be."""
    optional = []
    for field in message.field:
        limits = field.options.Extensions[policy_pb2.limits]
        if limits.required:
            yield f"{field.name}: {protos.type(field)}"
        else:
            optional.append(f"{field.name}: {protos.type(field)} | None = None")
    if optional:
        yield "*"
        yield from optional


def _stream(style: Style, protos: Protos, message: DescriptorProto) -> Iterator[str]:
    """A stream's first message and the others, each a field of the one oneof."""
    first, other = message.field
    yield f"{first.name}: {protos.type(first)}"
    yield f"{_many(other.name)}: {style.many.format(protos.type(other))}"


def _sent(message: DescriptorProto) -> list[str]:
    first, other = message.field
    return [f'{{"{first.name}": {first.name}}},', f'"{other.name}",', f"{_many(other.name)},"]


def _many(name: str) -> str:
    return f"{name}es" if name.endswith("ch") else f"{name}s"


def _docstring(comment: str) -> list[str]:
    comment = re.sub(r"^ *buf:lint:.*\n", "", comment, flags=re.MULTILINE)
    lines = dedent(comment).strip().replace("\\", "\\\\").split("\n")
    return ['"""' + lines[0], *lines[1:], '"""'] if len(lines) > 1 else [f'"""{lines[0]}"""']


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _module(file: str) -> str:
    return f"{Path(file).stem}_pb2"


def main() -> None:
    """Reads the descriptor set in the first argument, and writes into the folder in the second."""
    descriptors, folder = map(Path, sys.argv[1:])
    read = FileDescriptorSet.FromString(descriptors.read_bytes())
    protos = Protos(read.file)
    for name, style in STYLES.items():
        (folder / name).write_text(client(protos, style))


if __name__ == "__main__":
    main()
