"""Having held copies asked about again, and forgetting one upstream's."""

from __future__ import annotations

import pytest

from tests.service.hub import DAY, FILE, SMALL, MakeHub, down, fake
from virtreg.errors import NotFound
from virtreg.events import Purged

METADATA = "org/example/a/maven-metadata.xml"


def document(*versions: str) -> bytes:
    listed = "".join(f"<version>{version}</version>" for version in versions)
    return (
        "<metadata><groupId>org.example</groupId><artifactId>a</artifactId><versioning>"
        f"<versions>{listed}</versions></versioning></metadata>"
    ).encode()


@pytest.mark.parametrize("hours", [0, 24])
def test_what_expired_is_asked_for_again_however_long_it_would_be_good(
    make_hub: MakeHub, hours: float
) -> None:
    a = fake("a", cache_validity_hours=hours)
    a.put(FILE, b"old")
    hub = make_hub(a)
    hub.pull(FILE)
    (held,) = hub.registry.expire(hub.route(FILE))
    assert (held.path, held.size) == (FILE, 3)
    a.put(FILE, b"newer")
    assert hub.pull(FILE).body == b"newer"
    assert hub.get(FILE).origin == "hit"
    assert hub.events.of(Purged) == [Purged("all", FILE)]


def test_what_expired_and_has_not_changed_is_not_sent_again(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    hub.pull(FILE)
    hub.registry.expire(hub.route(FILE + ".sha1"))
    assert hub.get(FILE).origin == "revalidated"
    assert hub.get(FILE).origin == "hit"


def test_what_expired_is_still_served_while_its_upstream_is_down(make_hub: MakeHub) -> None:
    a = fake("a", cache_validity_hours=0)
    a.put(FILE, SMALL)
    hub = make_hub(a)
    hub.pull(FILE)
    hub.registry.expire(hub.route(FILE))
    a.fail(down())
    got = hub.get(FILE)
    assert (got.body, got.origin) == (SMALL, "stale")


def test_an_absence_expires_as_well(make_hub: MakeHub) -> None:
    a = fake("a")
    hub = make_hub(a)
    with pytest.raises(NotFound):
        hub.get(FILE)
    a.put(FILE, SMALL)
    assert hub.registry.expire(hub.route(FILE)) == []
    assert hub.get(FILE).body == SMALL


def test_a_merged_document_expires_with_its_parts(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.put(METADATA, document("1"))
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    hub.get(METADATA)
    hub.flush()
    b.put(METADATA, document("3"))
    assert b"<version>2" in hub.get(METADATA).body
    assert len(hub.registry.expire(hub.route(METADATA))) == 3
    got = hub.get(METADATA)
    assert b"<version>1" in got.body
    assert b"<version>3" in got.body
    assert b"<version>2" not in got.body
    hub.flush()
    hub.clock.advance(DAY / 2)
    assert hub.get(METADATA).origin == "hit"


def test_forgetting_one_upstreams_copy_leaves_the_others(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    b.put(FILE, b"of b")
    hub = make_hub(a, b)
    hub.pull(FILE)
    a.put(FILE, b"of a")
    assert hub.registry.forget(a.spec.key, FILE) == 0
    assert hub.get(FILE).body == b"of b"
    assert hub.registry.forget(b.spec.key, FILE) == 1
    assert hub.get(FILE).body == b"of a"
    assert hub.events.of(Purged) == [Purged("all", FILE)] * 2


def test_what_was_merged_of_a_forgotten_copy_is_merged_again(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.put(METADATA, document("1"))
    b.put(METADATA, document("2"))
    hub = make_hub(a, b)
    hub.get(METADATA)
    hub.flush()
    b.put(METADATA, document("3"))
    hub.registry.forget(b.spec.key, METADATA)
    assert b"<version>3" in hub.get(METADATA).body
    asked = [request.path for request in a.requests]
    assert asked.count(METADATA) == 1
