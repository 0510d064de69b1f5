from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest

from tests.examples.hosting import EXAMPLES, Host, basic, hosted

EXAMPLE = "django_host.py"
ANN = basic("ann", "correct horse")
LOGIN = "/site/admin/login/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("django")
    settings = {
        "DJANGO_SECRET_KEY": "a secret of this test",
        "DJANGO_DATABASE": str(folder / "site.sqlite"),
        "DJANGO_SUPERUSER_PASSWORD": "correct horse",
    }
    user = ["createsuperuser", "--noinput", "--username=ann", "--email=ann@example.org"]
    for command in (["migrate", "--verbosity=0"], user):
        subprocess.run(
            [sys.executable, str(EXAMPLES / EXAMPLE), *command],
            env={**os.environ, **settings},
            check=True,
            timeout=60,
        )
    with hosted(folder, EXAMPLE, **settings) as host:
        yield host


def sign_in(site: Host) -> dict[str, str]:
    """Fill in the form of the site's login page; the cookie of the session."""
    page = site.get(LOGIN)
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.body.decode())
    assert found is not None
    form = {"username": "ann", "password": "correct horse", "csrfmiddlewaretoken": found[1]}
    jar = SimpleCookie(page.headers["Set-Cookie"])
    told = {"Cookie": f"csrftoken={jar['csrftoken'].value}"}
    answer = site.post(f"{LOGIN}?next=/site/admin/", urlencode(form).encode(), told)
    assert answer.status == 302
    cookies = SimpleCookie("\n".join(answer.headers.get_all("Set-Cookie", [])))
    return {"Cookie": f"sessionid={cookies['sessionid'].value}"}


def test_a_session_of_django_opens_registries(site: Host) -> None:
    assert site.pom() == 401
    session = sign_in(site)
    assert site.pom(session) == 200
    assert site.pull(session) == 200
    assert site.pom({"Cookie": "sessionid=madeup"}) == 401
    assert site.get("/site/admin/", session).status == 200


def test_programs_show_the_passwords_of_the_site(site: Host) -> None:
    assert (site.pom(ANN), site.pom(basic("ann", "guess"))) == (200, 401)
    assert (site.pull(ANN), site.pull(basic("ann", "guess")), site.pull()) == (200, 401, 401)
