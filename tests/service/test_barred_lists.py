"""Merged documents and lists without what rules deny."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve

from tests.service.hub import DAY, Hub, MakeHub, down, fake
from tests.service.images import manifest, put_blob, put_manifest
from virtreg.errors import Barred, NotFound, UpstreamUnavailable
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.formats.maven.adapter import MavenFormat
from virtreg.formats.maven.metadata import Metadata, read
from virtreg.formats.maven.printing import write
from virtreg.model import Ownership, Route, Rule
from virtreg.testing.fakes import FakeUpstream

PATH = "org/example/a/maven-metadata.xml"
PRE = Rule("deny", "version", "-(alpha|beta)", "regex")


class Complete(MavenFormat):
    """A list of versions is a lie unless every upstream told its own."""

    def complete(self, route: Route) -> bool:
        return True


def versions(*listed: str) -> bytes:
    return write(Metadata(versions=listed, latest=listed[-1], release=listed[-1]))


def listed(hub: Hub, path: str = PATH) -> Metadata:
    return read(hub.get(path).body)


def again(upstream: FakeUpstream, path: str, document: bytes, *rules: Rule) -> FakeUpstream:
    """The upstream with these rules."""
    made = FakeUpstream(spec=evolve(upstream.spec, rules=rules))
    made.put(path, document)
    return made


def test_each_upstreams_denied_versions_are_left_out_of_its_part(make_hub: MakeHub) -> None:
    a, b = fake("a", rules=(PRE,)), fake("b")
    a.put(PATH, versions("1", "2-alpha", "3-beta"))
    b.put(PATH, versions("2-alpha"))
    merged = listed(make_hub(a, b))
    assert merged.versions == ("1", "2-alpha")
    assert (merged.latest, merged.release) == ("2-alpha", "2-alpha")


def test_a_denied_upstream_is_not_asked_for_its_part(make_hub: MakeHub) -> None:
    a, b = fake("a", rules=(Rule("deny", "group_id", "org.example"),)), fake("b")
    a.put(PATH, versions("1"))
    b.put(PATH, versions("2"))
    hub = make_hub(a, b)
    assert listed(hub).versions == ("2",)
    hub.flush()
    assert hub.get(PATH).origin == "hit"
    assert a.requests == []


def test_what_is_owned_is_listed_by_its_owners_alone(make_hub: MakeHub) -> None:
    public, own = fake("public"), fake("own")
    public.put(PATH, versions("99"))
    own.put(PATH, versions("1"))
    hub = make_hub(public, own, ownerships=[Ownership("group_id", "org.example*", ("own",))])
    assert listed(hub).versions == ("1",)
    assert public.requests == []


def test_a_list_that_all_are_denied_is_barred(make_hub: MakeHub) -> None:
    a = fake("a", rules=(Rule("deny", "artifact_id", "a", id=3),))
    a.put(PATH, versions("1"))
    with pytest.raises(Barred, match="a: denied by rule 3: deny artifact_id wildcard a"):
        make_hub(a).get(PATH)


def test_a_list_of_which_nothing_is_left_is_barred_or_absent(make_hub: MakeHub) -> None:
    a, b = fake("a", rules=(PRE,)), fake("b")
    a.put(PATH, versions("1-alpha"))
    with pytest.raises(Barred, match="a: denied by rules: all that the document names"):
        make_hub(a).get(PATH)
    hub = make_hub(a, b)
    with pytest.raises(NotFound) as caught:
        hub.get(PATH)
    assert caught.value.expires_at == hub.clock() + 300, "what is denied stays so"


def test_a_document_that_needs_every_upstream_needs_those_that_may_answer(
    make_hub: MakeHub,
) -> None:
    a, b, c = fake("a", rules=(Rule("deny", "group_id", "*"),)), fake("b"), fake("c")
    b.put(PATH, versions("1"))
    assert listed(make_hub(a, b, format=Complete())).versions == ("1",)
    with pytest.raises(NotFound):
        make_hub(a, b, c, format=Complete()).get(PATH)


def test_parts_and_merges_from_before_the_rule_are_not_served(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.put(PATH, versions("1", "2-alpha"))
    b.put(PATH, versions("3"))
    hub = make_hub(a, b)
    assert listed(hub).versions == ("1", "2-alpha", "3")
    hub.flush()
    ruled = again(a, PATH, versions("1", "2-alpha"), PRE)
    assert listed(make_hub(ruled, b)).versions == ("1", "3")
    denied = again(a, PATH, versions("1"), Rule("deny", "group_id", "*"))
    assert listed(make_hub(denied, b)).versions == ("3",)
    assert [ruled.requests, denied.requests] == [[], []], "the part was cached, or is denied"


def test_an_old_part_of_an_upstream_that_is_down_is_sifted_too(make_hub: MakeHub) -> None:
    a = fake("a", rules=(PRE,))
    a.put(PATH, versions("1", "2-alpha"))
    hub = make_hub(a)
    hub.get(PATH)
    hub.flush()
    a.fail(down())
    hub.clock.advance(2 * DAY)
    assert listed(hub).versions == ("1",)


def test_a_broken_upstream_is_not_passed_because_another_is_denied(make_hub: MakeHub) -> None:
    a, b = fake("a", rules=(Rule("deny", "group_id", "*"),)), fake("b")
    b.fail(down("b"))
    with pytest.raises(UpstreamUnavailable) as caught:
        make_hub(a, b).get(PATH)
    assert [answer.outcome for answer in caught.value.answers] == ["denied", "unavailable"]


def tags(*names: str) -> bytes:
    return json.dumps({"name": "app", "tags": names}).encode()


def images(make_hub: MakeHub, *upstreams: FakeUpstream) -> Hub:
    return make_hub(*upstreams, format=ContainerFormat())


def body(hub: Hub, path: str) -> Any:
    return json.loads(hub.get(path).body)


def test_denied_tags_are_not_listed(make_hub: MakeHub) -> None:
    a, b = fake("a", rules=(Rule("allow", "tag", "v*"),)), fake("b")
    a.put("v2/app/tags/list", tags("latest", "v1"))
    b.put("v2/app/tags/list", tags("edge"))
    assert body(images(make_hub, a, b), "app/tags/list")["tags"] == ["edge", "v1"]


@pytest.mark.parametrize("pattern", ["app", "library/app"])
def test_tags_of_an_image_that_is_allowed_by_any_name_are_listed(
    make_hub: MakeHub, pattern: str
) -> None:
    a = fake("a", default_namespace="library", rules=(Rule("allow", "image", pattern),))
    a.put("v2/library/app/tags/list", tags("1"))
    hub = images(make_hub, a)
    assert body(hub, "app/tags/list")["tags"] == ["1"]
    with pytest.raises(Barred):
        hub.get("other/tags/list")


def test_referrers_of_a_denied_image_are_not_told(make_hub: MakeHub) -> None:
    a, b = fake("a", rules=(Rule("deny", "image", "app"),)), fake("b")
    subject = f"app/referrers/sha256:{'0' * 64}"
    with pytest.raises(Barred):
        images(make_hub, a).get(subject)
    assert body(images(make_hub, a, b), subject)["manifests"] == []
    assert a.requests == []


def test_an_image_is_shown_if_somebody_who_has_it_cached_may_serve_it(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    for name in ("app", "both", "tool"):
        put_manifest(a, name, manifest(name), "latest")
    only_b = put_blob(b, "both", b"a layer")
    hub = images(make_hub, a, b)
    for path in ("app/manifests/latest", "both/manifests/latest", "tool/manifests/latest", only_b):
        hub.pull(path)
    assert body(hub, "_catalog")["repositories"] == ["app", "both", "tool"]
    rules = (Rule("deny", "image", "app"), Rule("deny", "image", "both"))
    ruled = FakeUpstream(spec=evolve(a.spec, rules=rules))
    assert body(images(make_hub, ruled, b), "_catalog")["repositories"] == ["both", "tool"]
