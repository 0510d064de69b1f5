"""Sign-in with tokens of OpenID Connect issuers."""

from virtreg.backends.auth.oidc.authenticator import JwksAuthenticator

__all__ = ["JwksAuthenticator"]
