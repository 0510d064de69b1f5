"""The document that describes the API."""

from __future__ import annotations

from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.wsgi.api.desks import Desk


def _document(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = desk.ask("GET", "/openapi.json", "nobody").json
    return found


def test_the_document_is_openapi_3_1_and_for_everybody(desk: Desk) -> None:
    answer = desk.ask("GET", "/openapi.json", "nobody")
    assert answer.status == 200
    OpenAPIV31SpecValidator(answer.json).validate()
    assert answer.json["openapi"].startswith("3.1.")


def test_every_call_is_in_it_once_with_a_name_of_its_own(desk: Desk) -> None:
    operations = _operations(_document(desk))
    names = [operation["operationId"] for _, _, operation in operations]
    assert len(set(names)) == len(names) > 40
    listed = {(method, path) for method, path, _ in operations}
    assert ("post", "/groups/{group}/-/virtual_registries/packages/maven/registries") in listed
    assert ("patch", "/virtual_registries/container/registry_upstreams/{id}") in listed


def test_each_call_tells_every_status_it_may_come_to(desk: Desk) -> None:
    for method, path, operation in _operations(_document(desk)):
        responses = operation["responses"]
        assert {"429", "500", "503"} <= responses.keys()
        if operation.get("security") != []:
            assert {"400", "401", "403", "404"} <= responses.keys(), path
        if method != "get":
            assert "409" in responses
        if "requestBody" in operation:
            assert {"411", "413", "415"} <= responses.keys()
        for status, response in responses.items():
            assert status == "204" or "application/json" in response["content"]


def test_schemas_have_the_names_of_their_classes_and_no_secrets(desk: Desk) -> None:
    schemas = _document(desk)["components"]["schemas"]
    assert {"Registry", "RegistryNew", "Upstream", "UpstreamWhole", "Associated"} <= schemas.keys()
    shown = {name for name, schema in schemas.items() if "password" in schema.get("properties", {})}
    assert shown == {
        "Login",
        "MavenUpstreamChange",
        "MavenUpstreamNew",
        "TrialChange",
        "TrialNew",
        "UpstreamChange",
        "UpstreamNew",
    }


def test_a_call_that_needs_some_field_says_so(desk: Desk) -> None:
    one = _document(desk)["paths"]["/virtual_registries/packages/maven/registries/{id}"]
    body = one["patch"]["requestBody"]
    assert body["required"]
    assert {"required": ["name"]} in body["content"]["application/json"]["schema"]["anyOf"]


def test_the_documented_places_of_parameters_are_those_that_are_read(desk: Desk) -> None:
    listing = _document(desk)["paths"][
        "/groups/{group}/-/virtual_registries/packages/maven/upstreams"
    ]["get"]
    named = {(each["in"], each["name"]) for each in listing["parameters"]}
    assert named == {
        ("path", "group"),
        ("query", "page"),
        ("query", "per_page"),
        ("query", "upstream_name"),
    }
    assert "X-Total-Pages" in listing["responses"]["200"]["headers"]


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
