"""A Django site with virtual registries beside it: whoever has a login there may pull.

    python examples/django_host.py migrate
    python examples/django_host.py createsuperuser
    python examples/django_host.py

People are known by the session of the site, which is at /site/admin/; programs, which have none, by
the same passwords. The environment says the configuration (VIRTREG_CONFIG), the site's database
(DJANGO_DATABASE), its secret (DJANGO_SECRET_KEY) and a port (PORT).
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

from django import setup
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.management import execute_from_command_line
from django.db import close_old_connections
from django.urls import path
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import run_simple

from virtreg import build, load
from virtreg.backends.auth.chain import chain
from virtreg.backends.auth.passwords import PasswordAuthenticator
from virtreg.errors import Unauthenticated
from virtreg.model import Credentials, Principal, Scope

APPS = ("admin", "auth", "contenttypes", "messages", "sessions")

settings.configure(
    SECRET_KEY=os.environ["DJANGO_SECRET_KEY"],
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ.get("DJANGO_DATABASE", "site.sqlite"),
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[f"django.contrib.{app}" for app in APPS],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
)
setup()

from django.contrib import admin, auth  # noqa: E402 - Django must be set up before

urlpatterns = [path("admin/", admin.site.urls)]


class DjangoSession:
    """Admits whom ``request.user`` would be, by the cookie of the site's session."""

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:  # noqa: ARG002
        request = WSGIRequest(dict(credentials.environ))
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        try:
            request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
            user = auth.get_user(request)
            if not user.is_authenticated:
                raise Unauthenticated("sign in first")
            return Principal(user.get_username())
        finally:
            close_old_connections()  # as Django does at the end of its own requests


def check(name: str, password: str) -> str | None:
    """Who that is for Django's own backends, which know nobody who is not active."""
    try:
        user = auth.authenticate(None, username=name, password=password)
        return None if user is None else user.get_username()
    finally:
        close_old_connections()


def main() -> None:
    config = load(Path(os.environ.get("VIRTREG_CONFIG", "examples/server.toml")), os.environ)
    logins = chain(DjangoSession(), PasswordAuthenticator(check))
    with build(config, authenticator=logins) as assembly:
        # Registries at the root, where clients of images look for them; the site beside.
        app = DispatcherMiddleware(assembly.app, {"/site": WSGIHandler()})
        run_simple("127.0.0.1", int(os.environ.get("PORT", "8081")), app, threaded=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        execute_from_command_line(sys.argv)
    else:
        main()
