"""Lists of referrers (OCI distribution-spec, Listing Referrers, Unavailable Referrers API)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance.clauses import clause
from tests.conformance.client import Client
from tests.conformance.shelf import fresh_name, index, publish_referrers, referring
from tests.e2e.images import OCI_INDEX
from tests.wsgi.answers import Answer

pytestmark = pytest.mark.e2e

SECTION = "Listing Referrers"
SUBJECT = f"sha256:{'5' * 64}"
SBOM, SIGNATURE = "application/vnd.example.sbom.v1+json", "application/vnd.example.signature"
LISTED = [
    referring(SBOM, "1", created="2022-01-01T14:42:55Z"),
    referring(SIGNATURE, "2", fingerprint="abcd"),
    {**referring(None, "3", odd="é"), "mediaType": OCI_INDEX},
    referring(SBOM, "4"),
]


@pytest.fixture
def path(client: Client) -> str:
    name = fresh_name()
    publish_referrers(client.origin, name, SUBJECT, LISTED)
    client.prepare(f"{name}/referrers/{SUBJECT}")
    return f"{name}/referrers/{SUBJECT}"


def listed(answer: Answer) -> list[Any]:
    assert answer.status == 200, answer
    assert answer["Content-Type"] == OCI_INDEX
    body = json.loads(answer.body)
    assert (body["schemaVersion"], body["mediaType"]) == (2, OCI_INDEX)
    found: list[Any] = body["manifests"]
    return found


@clause(SECTION, "MUST", "the list is 200, an image index by `Content-Type` and content (end-12a)")
@clause(
    SECTION,
    "MUST",
    "descriptors have the `artifactType` and the annotations of their manifest",
    "those that the upstream tells: its manifests are not fetched for them",
)
def test_a_list(client: Client, path: str) -> None:
    answer = client.get(path)
    assert listed(answer) == LISTED
    assert "OCI-Filters-Applied" not in answer
    again, without = client.get(path), client.head(path)
    assert {**without.ours, "x-virtreg-cache": again.origin} == again.ours


@clause(SECTION, "MUST", "never 404: an unknown subject has an empty index, a repository's too")
def test_what_nobody_refers_to(client: Client, path: str) -> None:
    known = path.partition("/referrers/")[0]
    for name in (known, fresh_name()):
        for subject in (f"sha256:{'6' * 64}", f"sha512:{'6' * 128}"):
            for query in ("", f"?artifactType={SBOM}"):
                assert listed(client.get(f"{name}/referrers/{subject}{query}")) == []


@clause(SECTION, "MUST", "a malformed digest is 400 `DIGEST_INVALID`")
@pytest.mark.parametrize("digest", ["sha256:x", "latest", "sha256:", f"sha256:{'A' * 64}", "md5:0"])
def test_malformed_subjects(client: Client, digest: str) -> None:
    assert client.refused(f"{fresh_name()}/referrers/{digest}") == (400, "DIGEST_INVALID")


@clause(SECTION, "SHOULD", "`artifactType` filters the list (end-12b)")
@clause(SECTION, "MUST", "a filtered list says `OCI-Filters-Applied: artifactType`")
@pytest.mark.parametrize("kind", [SBOM, SIGNATURE, SBOM.replace("+", "%2B").replace("/", "%2F")])
def test_referrers_of_one_type(client: Client, path: str, kind: str) -> None:
    answer = client.get(f"{path}?artifactType={kind}")
    expected = SIGNATURE if kind == SIGNATURE else SBOM
    assert listed(answer) == [one for one in LISTED if one.get("artifactType") == expected]
    assert answer["OCI-Filters-Applied"] == "artifactType"


@clause(SECTION, "MUST", "where nothing matches, the list is an empty index")
def test_referrers_of_a_type_that_nothing_has(client: Client, path: str) -> None:
    answer = client.get(f"{path}?artifactType=application/none")
    assert listed(answer) == []
    assert answer["OCI-Filters-Applied"] == "artifactType"


@clause(SECTION, "MUST", "all the pages of an upstream are one index here")
def test_the_pages_of_an_upstream(client: Client) -> None:
    name = fresh_name()
    base = f"v2/{name}/referrers/{SUBJECT}"
    headers = {"Content-Type": OCI_INDEX}
    link = {**headers, "Link": f'</{base}?page=2>; rel="next"'}
    client.origin.put(base, index(LISTED[:2]), headers=link)
    client.origin.put(f"{base}?page=2", index(LISTED[2:]), headers=headers)
    client.prepare(f"{name}/referrers/{SUBJECT}")
    answer = client.get(f"{name}/referrers/{SUBJECT}")
    assert listed(answer) == LISTED
    assert "Link" not in answer


@clause(
    SECTION, "suite", "an index says its `mediaType` and `schemaVersion`, as an upstream may not"
)
def test_an_index_says_what_it_is(client: Client) -> None:
    name = fresh_name()
    body = json.dumps({"schemaVersion": 2, "manifests": LISTED}).encode()
    headers = {"Content-Type": OCI_INDEX}
    client.origin.put(f"v2/{name}/referrers/{SUBJECT}", body, headers=headers)
    client.prepare(f"{name}/referrers/{SUBJECT}")
    assert listed(client.get(f"{name}/referrers/{SUBJECT}")) == LISTED


@clause(
    "Unavailable Referrers API",
    "MUST",
    "of an upstream without the API, the index under the tag `<alg>-<ref>` is the list",
)
@clause(
    "Enabling the Referrers API",
    "MUST",
    "what is listed under the tag is in the answer",
    "of an upstream that has the API, its answer alone: to list those is its duty",
)
@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize(
    ("subject", "tag"),
    [
        (SUBJECT, f"sha256-{'5' * 64}"),
        (f"sha512:{'7' * 64}{'8' * 64}", f"sha512-{'7' * 64}"),
    ],
    ids=["sha256", "sha512"],
)
def test_the_tag_of_an_upstream_without_the_api(
    client: Client, subject: str, tag: str, status: int
) -> None:
    name = fresh_name()
    client.origin.put(f"v2/{name}/referrers/{subject}", status=status)
    headers = {"Content-Type": OCI_INDEX}
    client.origin.put(f"v2/{name}/manifests/{tag}", index(LISTED), headers=headers)
    client.prepare(f"{name}/referrers/{subject}")
    assert listed(client.get(f"{name}/referrers/{subject}")) == LISTED


@clause(
    "Unavailable Referrers API",
    "SHOULD",
    "a tag that has no index is read as no referrers",
    "where it has other content: 502, so that a broken upstream does not hide signatures",
)
def test_a_tag_without_an_index(client: Client) -> None:
    name = fresh_name()
    path = f"{name}/referrers/{SUBJECT}"
    assert listed(client.get(path)) == []
    other = fresh_name()
    client.origin.put(f"v2/{other}/manifests/sha256-{'5' * 64}", b'{"layers": []}')
    assert client.get(f"{other}/referrers/{SUBJECT}").status == 502
