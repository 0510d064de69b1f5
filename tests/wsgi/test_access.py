"""``[access]`` of the configuration: users and tokens in the data folder decide."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve

from tests.wsgi.answers import Answer
from tests.wsgi.conftest import Sites
from tests.wsgi.doors import Called, Named
from tests.wsgi.sites import POM
from tests.wsgi.tenants import Audit, add_user, basic, bearer, tenants
from virtreg import Config, ConfigError, RegistrySpec, StorageConfig, UpstreamSpec, build
from virtreg.backends.auth.anonymous import Anonymous
from virtreg.backends.directory import open_directory
from virtreg.config import AccessConfig, LimitsConfig
from virtreg.core.identity import Role
from virtreg.events import Denied, GrantIssued, SignInFailed
from virtreg.testing.fakes import FakeClock
from virtreg.testing.origin import Origin

MANIFEST = b'{"schemaVersion":2,"config":{},"layers":[]}'
IMAGE = "/v2/images/app/manifests/1"
SCOPE = "repository:images/app:pull"


def _config(folder: Path, origin: Origin, access: AccessConfig) -> Config:
    upstream = UpstreamSpec("near", origin.url, allow_private=("127.0.0.0/8",))
    registries = (
        RegistrySpec(1, "images", "container", (upstream,), group="ours"),
        RegistrySpec(2, "open", "container", (upstream,), group="ours", public=True),
    )
    return Config(registries, storage=StorageConfig(folder), access=access)


def _token(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    found: str = json.loads(answer.body)["token"]
    return found


def test_who_may_pull_is_kept_in_the_data_folder(tmp_path: Path) -> None:
    clock, audit = FakeClock(), Audit()
    access = AccessConfig(enabled=True, token_path="/token", service="here", grant_seconds=60)
    with Origin() as origin:
        origin.put("v2/app/manifests/1", MANIFEST)
        config = _config(tmp_path, origin, access)
        with build(config, observers=[audit], clock=clock) as assembly:
            door = Called(assembly.app, "")
            realm = 'Bearer realm="http://localhost/token",service="here"'
            assert door.ask("GET", "/v2/")["WWW-Authenticate"] == realm
            # As another process does it, while this one serves.
            with closing(open_directory(tmp_path)) as directory:
                ann = basic("ann", add_user(directory, "ann", "ours"))
                tom = basic("tom", add_user(directory, "tom", "theirs"))
            clock.advance(1)
            grant = bearer(_token(door.ask("GET", f"/token?scope={SCOPE}", ann)))
            for shown in (ann, grant):
                assert door.ask("GET", IMAGE, shown).body == MANIFEST
            assert door.ask("GET", IMAGE, tom).status == 404
            assert door.ask("GET", IMAGE, basic("ann", "x")).status == 401
            assert door.ask("GET", "/v2/open/app/manifests/1").body == MANIFEST
            clock.advance(120)
            assert "invalid_token" in door.ask("GET", IMAGE, grant)["WWW-Authenticate"]
        assert [type(event) for event in audit.events] == [GrantIssued, Denied, SignInFailed]
        grant = bearer(_token(_asked_again(config, clock, ann)))
        with build(config, clock=clock) as assembly:
            assert Called(assembly.app, "").ask("GET", IMAGE, grant).status == 200


def _asked_again(config: Config, clock: FakeClock, login: Named) -> Answer:
    with build(config, clock=clock) as assembly:
        return Called(assembly.app, "").ask("GET", f"/token?scope={SCOPE}", login)


def test_a_refresh_token_stands_for_the_login_until_it_is_revoked(tmp_path: Path) -> None:
    people = tenants()
    clock = FakeClock()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with Origin() as origin:
        origin.put("v2/app/manifests/1", MANIFEST)
        config = _config(tmp_path, origin, AccessConfig())
        with build(config, authenticator=people.logins, clock=clock) as assembly:
            door = Called(assembly.app, "")
            login = f"grant_type=password&username=ann&password={people.ann_s_token}"
            asked = f"{login}&access_type=offline&scope={SCOPE}"
            given = json.loads(door.ask("POST", "/jwt/auth", form, asked.encode()).body)
            refresh = f"grant_type=refresh_token&refresh_token={given['refresh_token']}"
            clock.advance(24 * 3600)
            for scope, status in ((SCOPE, 200), ("repository:images/other:pull", 401)):
                asked = f"{refresh}&scope={scope}"
                grant = bearer(_token(door.ask("POST", "/jwt/auth", form, asked.encode())))
                assert door.ask("GET", IMAGE, grant).status == status
            assert door.ask("GET", IMAGE, bearer(given["refresh_token"])).status == 401
            assert _token(door.ask("POST", "/jwt/auth", form, refresh.encode()))
            people.directory.revoke_token("ann", clock())
            people.logins.forget()
            answer = door.ask("POST", "/jwt/auth", form, refresh.encode())
            assert answer.status == 401
    people.logins.close()


def test_a_host_s_own_login_decides_though_access_is_on(tmp_path: Path) -> None:
    with Origin() as origin:
        config = _config(tmp_path, origin, AccessConfig(enabled=True))
        with build(config, authenticator=Anonymous()) as assembly:
            assert Called(assembly.app, "").ask("GET", "/v2/").status == 200
            assert Called(assembly.app, "").ask("GET", "/jwt/auth").status == 404
    assert not (tmp_path / "keys").exists()


def test_the_token_service_is_there_before_any_registry_of_images(quick_sites: Sites) -> None:
    people = tenants()
    people.directory.add_group("default")
    people.directory.set_role("default", "ann", Role.GUEST)
    site = quick_sites(authenticator=people.logins, credentials=people.ann)
    assert site.make_ready(POM).status == 200
    assert site.door.ask("GET", "/jwt/auth").status == 200
    people.logins.close()


@pytest.mark.parametrize("limits", [None, LimitsConfig(failed_logins=20)])
def test_who_guesses_at_either_door_is_held_off_at_both(
    tmp_path: Path, limits: LimitsConfig | None
) -> None:
    people = tenants()
    with Origin() as origin:
        config = evolve(_config(tmp_path, origin, AccessConfig()), limits=limits)
        with build(config, authenticator=people.logins) as assembly:
            door = Called(assembly.app, "")
            doors = (IMAGE, f"/jwt/auth?scope={SCOPE}")
            guesses = [basic("ann", str(number)) for number in range(10)]
            assert {door.ask("GET", one, guess).status for one in doors for guess in guesses} == {
                401
            }
            for one in doors:
                answer = door.ask("GET", one, basic("ann", "once more"))
                assert answer.status == 429
                assert int(answer["Retry-After"]) > 0
    people.logins.close()


@pytest.mark.parametrize("limits", [None, LimitsConfig(failed_logins=3)])
def test_who_guesses_keeps_out_neither_grants_nor_strangers_behind_the_same_address(
    tmp_path: Path, limits: LimitsConfig | None
) -> None:
    people = tenants()
    with Origin() as origin:
        origin.put("v2/app/manifests/1", MANIFEST)
        config = evolve(_config(tmp_path, origin, AccessConfig()), limits=limits)
        clock = FakeClock()
        with build(config, authenticator=people.logins, clock=clock) as assembly:
            door = Called(assembly.app, "")
            good = bearer(_token(door.ask("GET", f"/jwt/auth?scope={SCOPE}", people.ann)))
            nobody_s = bearer(_token(door.ask("GET", "/jwt/auth")))
            for number in range(20):
                door.ask("GET", IMAGE, basic("ann", str(number)))
            assert door.ask("GET", IMAGE, people.ann).status == 429
            assert door.ask("GET", f"/jwt/auth?scope={SCOPE}", people.ann).status == 429
            for _ in range(30):
                assert door.ask("GET", IMAGE, good).body == MANIFEST
            # It is the grant that decides, whatever is shown beside it.
            beside = {**good, "Private-Token": "guess"}
            assert door.ask("GET", IMAGE, beside).body == MANIFEST
            forged = {"Authorization": good["Authorization"][:-6] + "AAAAAA"}
            for shown in (forged, nobody_s, forged | {"Private-Token": people.ann_s_token}):
                answer = door.ask("GET", IMAGE, shown)
                assert answer.status == 401
                assert "error=" in answer["WWW-Authenticate"]
            public = "/v2/open/app/manifests/1"
            for login in ({}, basic("somebody", "of another registry"), people.ann):
                assert door.ask("GET", public, login).body == MANIFEST
            assert door.ask("GET", IMAGE).status == 401
            assert door.ask("GET", IMAGE, {"Private-Token": people.ann_s_token}).status == 429
            clock.advance(3600)
            answer = door.ask("GET", IMAGE, good)
            assert answer.status == 401, "it has ended, and its client is told to get another"
            assert "invalid_token" in answer["WWW-Authenticate"]
    people.logins.close()


def test_guessing_may_be_left_to_somebody_else_to_stop(tmp_path: Path) -> None:
    people = tenants()
    with Origin() as origin:
        unlimited = LimitsConfig(requests=0, failed_logins=0)
        config = evolve(_config(tmp_path, origin, AccessConfig()), limits=unlimited)
        with build(config, authenticator=people.logins) as assembly:
            door = Called(assembly.app, "")
            answers = [door.ask("GET", IMAGE, basic("ann", str(number))) for number in range(30)]
            assert {answer.status for answer in answers} == {401}
    people.logins.close()


def test_keys_that_cannot_be_read_are_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "000001.json").write_text("{}")
    with Origin() as origin:
        config = _config(tmp_path, origin, AccessConfig(enabled=True))
        with pytest.raises(ConfigError, match=r"000001\.json"):
            build(config)
