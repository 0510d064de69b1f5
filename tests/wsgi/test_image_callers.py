from __future__ import annotations

from attrs import define, field

from tests.wsgi.galleries import Galleries
from tests.wsgi.images import MANIFEST, code, spec
from virtreg import Forbidden, Unauthenticated
from virtreg.model import Credentials, Principal, Scope

ANN = {"Authorization": "Basic ann"}
PATH = "of-hub/app/manifests/latest"


@define
class Porter:
    """Knows Ann, who may use one registry; ``hub`` is open to everybody where told so."""

    allowed: str = "hub"
    public: str = ""
    scopes: list[Scope] = field(factory=list)

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        self.scopes.append(scope)
        if scope.registry == self.public:
            return Principal()
        if credentials.authorization is None:
            raise Unauthenticated("sign in")
        if scope.registry != self.allowed:
            raise Forbidden(f"{scope.registry} is not for you")
        return Principal("ann")


def test_a_ping_challenges_strangers(galleries: Galleries) -> None:
    porter = Porter()
    site = galleries(authenticator=porter)
    for root in ("/v2/", "/hub/v2/", "/v2/hub/", "/v2/?ns=docker.io"):
        porter.scopes.clear()
        stranger = site.both(root)
        assert (stranger.status, code(stranger)) == (401, "UNAUTHORIZED")
        assert stranger["WWW-Authenticate"].startswith("Basic ")
        assert stranger["Docker-Distribution-Api-Version"] == "registry/2.0"
        assert site.both(root, ANN).body == b"{}"
        names = ("hub",) if root != "/v2/" else ("hub", "quay", "claimed")
        assert set(porter.scopes) == {Scope(name, "", group="default") for name in names}


def test_a_ping_of_a_registry_that_is_not_for_the_caller(galleries: Galleries) -> None:
    site = galleries(authenticator=Porter())
    answer = site.both("/v2/quay/", ANN)
    assert (answer.status, code(answer)) == (403, "DENIED")


def test_a_ping_that_may_be_about_any_registry(quick_galleries: Galleries) -> None:
    site = quick_galleries(
        spec(1, "hub", "docker.io", default=True),
        spec(2, "quay", "quay.io"),
        authenticator=Porter(public="hub"),
    )
    assert site.both("/v2/hub/").status == 200
    assert site.both("/v2/").status == 401, "one registry wants to know who asks"
    assert site.both("/v2/", ANN).status == 200


def test_a_ready_answer_is_not_for_strangers_in_any_shape(galleries: Galleries) -> None:
    porter = Porter()
    site = galleries(authenticator=porter)
    site.shelves["hub"].expires_at = site.clock() + 10
    for target in (f"/v2/hub/{PATH}", f"/hub/v2/{PATH}?ns=ghcr.io"):
        for _ in range(2):
            assert site.both(target, ANN).body == MANIFEST
            porter.scopes.clear()
            stranger = site.both(target)
            assert (stranger.status, code(stranger)) == (401, "UNAUTHORIZED")
            assert "WWW-Authenticate" in stranger
            assert set(porter.scopes) == {
                Scope("hub", PATH, repository="of-hub/app", group="default")
            }


def test_a_stranger_learns_nothing_of_a_root_url_but_who_is_meant(galleries: Galleries) -> None:
    site = galleries(authenticator=Porter())
    shelf = site.shelves["hub"]
    shelf.files["app/manifests/latest"] = MANIFEST
    shelf.expires_at = site.clock() + 10
    target = "/v2/app/manifests/latest?ns=docker.io"
    for _ in range(2):
        assert site.both(target, ANN).body == MANIFEST
        stranger = site.both(target)
        assert (stranger.status, code(stranger)) == (401, "UNAUTHORIZED")
        assert stranger["OCI-Namespace"] == "docker.io"
        assert "ETag" not in stranger
