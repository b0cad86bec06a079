"""What the guard reads from the descriptors, and what stops a server from starting."""

from pathlib import Path

import pytest

from beholden.guard.fields import AnnotationError, dotted
from beholden.guard.methods import read_methods
from beholden.v1 import detection_pb2, embedding_pb2, search_pb2
from tests.unit.guard.protos import compiled

RPC = "service S { rpc Do(Q) returns (A) { option (method_policy).action = 'a.do'; } }"


def test_reads_the_real_services():
    services = search_pb2.DESCRIPTOR.services_by_name.values()
    method = read_methods(services)["/beholden.v1.SearchService/SearchFacesByImage"]
    assert method.action == "face.search_by_image"
    assert method.request is search_pb2.SearchFacesByImageRequest
    assert method.response is search_pb2.SearchFacesByImageResponse
    assert [dotted(path) for path in method.facts.media] == ["image.content"]
    assert [name for name, *_ in method.facts.facts] == [
        "collection",
        "max_results",
        "min_similarity",
    ]
    assert [tuple(map(dotted, pair)) for pair in method.duties.similarities] == [
        ("candidates", "similarity")
    ]
    assert [dotted(path) for path in method.duties.results] == ["candidates"]


def test_reads_redactable_fields_however_deep():
    methods = read_methods(embedding_pb2.DESCRIPTOR.services_by_name.values())
    found = methods["/beholden.v1.EmbeddingService/EmbedFaces"].duties.redactable
    assert [(name, dotted(path)) for name, path in found] == [
        ("face.age", "faces.face.age_range"),
        ("face.gender", "faces.face.gender_presentation"),
        ("face.emotion", "faces.face.emotions"),
        ("face.liveness", "faces.face.liveness"),
        ("face.spoof", "faces.face.spoof_score"),
        ("face.template", "faces.template"),
    ]


def test_every_method_of_every_service_is_readable():
    services = [
        service
        for file in (search_pb2, embedding_pb2, detection_pb2)
        for service in file.DESCRIPTOR.services_by_name.values()
    ]
    assert len(read_methods(services)) == sum(len(service.methods) for service in services)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "message Q {} message A {} service S { rpc Do(Q) returns (A); }",
            "trial.S/Do: has no action",
        ),
        (
            f"message Q {{ string a = 1 [(limits).pattern = '[a-']; }} message A {{}} {RPC}",
            "trial.Q.a: the pattern does not compile",
        ),
        (
            f"message Q {{ int32 a = 1 [(limits).required = true]; }} message A {{}} {RPC}",
            "trial.Q.a: required, but 0 cannot be told from absent",
        ),
        (
            f"message Q {{ bytes a = 1 [(field_policy).fact = 'a']; }} message A {{}} {RPC}",
            "trial.Q.a: bytes must not be a fact",
        ),
        (
            "message Q { string a = 1 [(field_policy).fact = 'x'];"
            f" string b = 2 [(field_policy).fact = 'x']; }} message A {{}} {RPC}",
            "the fact x would have several values",
        ),
        (
            "message P { string a = 1 [(field_policy).fact = 'x']; }"
            f" message Q {{ repeated P p = 1; }} message A {{}} {RPC}",
            "the fact x would have several values",
        ),
        (
            f"message Q {{}} message A {{ float s = 1 [(field_policy).similarity = true]; }} {RPC}",
            "trial.A.s: a similarity must be a float in a list's item",
        ),
        (
            "message I { double s = 1 [(field_policy).similarity = true]; }"
            f" message Q {{}} message A {{ repeated I i = 1; }} {RPC}",
            "trial.I.s: a similarity must be a float in a list's item",
        ),
        (
            f"message Q {{}} message A {{ string s = 1 [(field_policy).results = true]; }} {RPC}",
            "trial.A.s: results must be a list",
        ),
        (
            "message I { string s = 1 [(field_policy).redact = 'c']; }"
            f" message Q {{}} message A {{ map<string, I> i = 1; }} {RPC}",
            "trial.I.s: annotated inside the map i",
        ),
        (
            f"message Q {{}} message A {{ A again = 1; }} {RPC}",
            "trial.A.again: trial.A holds itself",
        ),
    ],
)
def test_what_cannot_be_guarded_does_not_start(tmp_path: Path, source: str, says: str):
    trial = compiled(tmp_path, source)
    with pytest.raises(AnnotationError) as refused:
        read_methods(trial.services_by_name.values())
    assert says in str(refused.value)


def test_every_problem_is_named_at_once(tmp_path: Path):
    trial = compiled(
        tmp_path,
        "message Q {} message A {} service S { rpc One(Q) returns (A); rpc Two(Q) returns (A); }",
    )
    with pytest.raises(AnnotationError, match=r"S/One.*S/Two"):
        read_methods(trial.services_by_name.values())


def test_an_annotated_method_of_another_package_starts(tmp_path: Path):
    trial = compiled(tmp_path, f"message Q {{}} message A {{}} {RPC}")
    assert read_methods(trial.services_by_name.values())["/trial.S/Do"].action == "a.do"


def test_a_method_may_be_live(tmp_path: Path):
    policy = "{ option (method_policy) = {action: 'a.do', realtime: true}; }"
    rpc = f"service S {{ rpc Do(Q) returns (A) {policy} }}"
    file = compiled(tmp_path, f"message Q {{}} message A {{}} {rpc}")
    (method,) = read_methods(file.services_by_name.values()).values()
    assert method.realtime
