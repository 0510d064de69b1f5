"""Files that rules and ownerships keep upstreams from answering for."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service.hub import DAY, FILE, SMALL, Hub, MakeHub, down, entry_of, fake
from tests.service.images import digest_of, manifest, put_blob, put_manifest
from virtreg.core.layout import blob_key
from virtreg.errors import Barred, ConfigError, NotFound, UpstreamRefused, UpstreamUnavailable
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.model import Answered, Ownership, Rule, UpstreamSpec
from virtreg.testing.fakes import FakeUpstream

EXAMPLE = Rule("deny", "group_id", "org.example", id=7)
REASON = "denied by rule 7: deny group_id wildcard org.example"


def ruled(upstream: FakeUpstream, *rules: Rule) -> FakeUpstream:
    """The upstream again, as empty as new, with these rules."""
    return FakeUpstream(spec=evolve(upstream.spec, rules=rules))


def test_a_denied_upstream_is_passed_and_not_asked(make_hub: MakeHub) -> None:
    a, b = fake("a", rules=(EXAMPLE,)), fake("b")
    a.put(FILE, b"a's")
    b.put(FILE, b"b's")
    assert make_hub(a, b).get(FILE).body == b"b's"
    assert a.requests == []


def test_what_is_denied_everywhere_is_barred_and_the_answer_names_the_rules(
    make_hub: MakeHub,
) -> None:
    a, b = fake("a", rules=(EXAMPLE,)), fake("b", rules=(Rule("allow", "version", "2.*"),))
    with pytest.raises(Barred) as caught:
        make_hub(a, b).get(FILE)
    not_allowed = "not allowed by rule: allow version wildcard 2.*"
    assert caught.value.answers == (
        Answered("a", "denied", REASON),
        Answered("b", "denied", not_allowed),
    )
    assert caught.value.message == (
        f"no upstream of all may answer for {FILE}: a: {REASON}; b: {not_allowed}"
    )
    assert [a.requests, b.requests] == [[], []]


def test_what_those_do_not_have_who_may_answer_is_absent(make_hub: MakeHub) -> None:
    a, b = fake("a", rules=(EXAMPLE,)), fake("b")
    hub = make_hub(a, b)
    with pytest.raises(NotFound) as caught:
        hub.get(FILE)
    assert [answer.outcome for answer in caught.value.answers] == ["denied", "absent"]
    assert REASON in caught.value.message
    with pytest.raises(NotFound) as caught:
        hub.get(FILE)
    assert caught.value.expires_at > hub.clock(), "the absence is remembered"
    assert len(b.requests) == 1


def test_an_upstream_that_is_broken_is_told_beside_the_rule(make_hub: MakeHub) -> None:
    a, b = fake("a", rules=(EXAMPLE,)), fake("b")
    b.fail(down("b"))
    with pytest.raises(UpstreamUnavailable) as caught:
        make_hub(a, b).get(FILE)
    assert [answer.outcome for answer in caught.value.answers] == ["denied", "unavailable"]


def test_a_copy_from_before_the_rule_is_not_served(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    make_hub(a).pull(FILE)
    hub = make_hub(ruled(a, EXAMPLE))
    assert hub.entry(a, FILE) is not None
    for _ in range(2):
        with pytest.raises(Barred):
            hub.get(FILE)
    assert make_hub(ruled(a)).get(FILE).origin == "hit", "it is there when the rule is gone"


def test_a_rule_for_another_upstream_leaves_the_copy_of_this_one(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    b.put(FILE, SMALL)
    make_hub(a, b).pull(FILE)
    assert make_hub(ruled(a, EXAMPLE), ruled(b)).get(FILE).origin == "hit"


def test_a_checksum_goes_with_its_file(make_hub: MakeHub) -> None:
    a = fake("a", rules=(EXAMPLE,))
    a.put(FILE, SMALL)
    hub = make_hub(a)
    for path in (f"{FILE}.sha1", f"{FILE}.asc", f"{FILE}.asc.md5"):
        with pytest.raises(Barred):
            hub.get(path)
    assert a.requests == []


def test_a_file_at_the_root_is_no_matter_of_rules(make_hub: MakeHub) -> None:
    a = fake("a", rules=(Rule("allow", "group_id", "com.nobody"),))
    a.put("archetype-catalog.xml", b"<archetype-catalog/>")
    assert make_hub(a).get("archetype-catalog.xml").body == b"<archetype-catalog/>"


def test_what_is_owned_is_asked_of_its_owners_alone(make_hub: MakeHub) -> None:
    ours = Ownership("group_id", "org.example*", ("ours",))
    public, own = fake("public"), fake("ours")
    public.put(FILE, b"taken over")
    hub = make_hub(public, own, ownerships=[ours])
    with pytest.raises(NotFound):
        hub.get(FILE)
    own.put(FILE, b"ours")
    hub.registry.purge(FILE)
    assert hub.get(FILE).body == b"ours"
    assert public.requests == []


@pytest.mark.parametrize("name", ["nginx", "library/nginx"])
@pytest.mark.parametrize("pattern", ["nginx", "library/nginx"])
def test_an_image_is_denied_by_every_name_it_has(
    make_hub: MakeHub, name: str, pattern: str
) -> None:
    hub = fake("hub", default_namespace="library", rules=(Rule("deny", "image", pattern),))
    put_manifest(hub, "library/nginx", manifest("x"), "latest")
    blob = put_blob(hub, "library/nginx", SMALL).removeprefix("library/nginx")
    registry = make_hub(hub, format=ContainerFormat())
    with pytest.raises(Barred):
        registry.get(f"{name}/manifests/latest")
    with pytest.raises(Barred):
        registry.registry.describe(registry.route(f"{name}{blob}"))
    assert hub.requests == []


def test_a_denied_tag_is_still_there_by_digest(make_hub: MakeHub) -> None:
    a = fake("a", rules=(Rule("deny", "tag", "latest"),))
    content = manifest("x")
    put_manifest(a, "app", content, "latest", "1.0")
    hub = make_hub(a, format=ContainerFormat())
    with pytest.raises(Barred):
        hub.get("app/manifests/latest")
    assert hub.get("app/manifests/1.0").body == content
    hub.flush()
    assert hub.get(f"app/manifests/{digest_of(content)}").body == content


def test_an_image_that_another_upstream_denies_is_pulled_whole_from_where_its_tag_was_found(
    make_hub: MakeHub,
) -> None:
    a, b = fake("a", rules=(Rule("deny", "image", "app"),)), fake("b")
    content = manifest("x")
    for upstream in (a, b):
        put_manifest(upstream, "app", content, "latest")
    assert make_hub(a, b, format=ContainerFormat()).get("app/manifests/latest").body == content
    assert a.requests == []


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ((Rule("deny", "image", "x"),), "upstream 'a': rule: deny image wildcard x: target_coord"),
        ((Rule("deny", "version", "("),), "upstream 'a': rule: deny version wildcard \\(: pattern"),
    ],
)
def test_rules_that_cannot_be_applied_make_no_registry(
    make_hub: MakeHub, rules: tuple[Rule, ...], reason: str
) -> None:
    hub = make_hub(fake("fine"))
    spec = evolve(
        hub.registry.spec, upstreams=(UpstreamSpec("a", "http://a.invalid", rules=rules),)
    )
    with pytest.raises(ConfigError, match=reason):
        type(hub.registry)(spec, hub.registry.format, hub.guarded, hub.works)


# The version of a path says which upstreams are denied it.
_RULES = {name: (Rule("deny", "version", f"-{name}", "regex"),) for name in "abc"}
_STATES = st.fixed_dictionaries(
    {
        "denied": st.booleans(),
        "cached": st.sampled_from(["no", "fresh", "stale"]),
        "answer": st.sampled_from(["has", "absent", "broken"]),
    }
)


@pytest.mark.parametrize("order", ["cached", "strict"])
def test_no_denied_upstream_is_ever_asked_or_served(make_hub: MakeHub, order: str) -> None:
    upstreams = [fake(name, rules=_RULES[name], on_error="continue") for name in "abc"]
    hub = make_hub(*upstreams, order=order)
    tried: list[int] = []

    @settings(
        max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(st.tuples(_STATES, _STATES, _STATES))
    def check(states: tuple[dict[str, Any], ...]) -> None:
        tried.append(1)
        version = "1" + "".join(
            f"-{name}" for name, state in zip("abc", states, strict=True) if state["denied"]
        )
        path = f"org/example/n{len(tried)}/{version}/file.bin"
        for upstream, state in zip(upstreams, states, strict=True):
            _set_scene(hub, upstream, path, state)
        _check_answer(hub, upstreams, path, states)

    check()


def _set_scene(hub: Hub, upstream: FakeUpstream, path: str, state: dict[str, Any]) -> None:
    name = upstream.spec.name
    if state["cached"] != "no":
        body = f"cached of {name}".encode()
        at = hub.clock() - (2 * DAY if state["cached"] == "stale" else 0)
        entry = entry_of(upstream.spec.key, path, body, at=at)
        hub.store.put(blob_key(entry.sha256), body)
        hub.index.put([entry])
    if state["answer"] == "has":
        upstream.put(path, f"new of {name}".encode())
    elif state["answer"] == "broken":
        upstream.fail(UpstreamRefused(f"{name} says 403", upstream=name), path)


def _check_answer(
    hub: Hub, upstreams: list[FakeUpstream], path: str, states: tuple[dict[str, Any], ...]
) -> None:
    denied = [up for up, state in zip(upstreams, states, strict=True) if state["denied"]]
    may = [state for state in states if not state["denied"]]
    try:
        body = hub.get(path).body.decode()
    except Barred:
        assert not may
    except NotFound:
        assert may
        assert all(state["answer"] == "absent" for state in may)
        assert all(state["cached"] == "no" for state in may)
    except UpstreamRefused:
        assert any(state["answer"] == "broken" for state in may)
        assert all(state["cached"] == "no" for state in may)
    else:
        assert body[-1] not in [up.spec.name for up in denied]
    for upstream in denied:
        assert upstream.count(path) == 0
        assert hub.registry.explain(path).positions[upstreams.index(upstream)].denied
