"""A refresh token as a person pastes it, or a vault prints it."""

import re

from resources.account.jwt import claims
from resources.errors import ConfigurationError

QUOTES = "\"'`"
VISIBLE = re.compile(r"[!-~]+")  # RFC 6749 allows a space too, but no server makes one
OTHER_KINDS = {"Bearer": "an access token", "ID": "an ID token"}  # by the claim `typ`
EXPIRING = "Refresh"  # the kind of those that are not offline


def pasted_token(text: str, *, login_url: str) -> str:
    """Take the token out of a text; raises ConfigurationError where it can be none, and never shows it."""
    token = text.strip()
    for quote in QUOTES:
        if len(token) > 1 and token[0] == token[-1] == quote:
            token = token[1:-1].strip()
            break
    where = f"copy the offline refresh token alone, as {login_url} shows it"
    if not token:
        raise ConfigurationError(f"no token was given: {where}")
    if not VISIBLE.fullmatch(token):
        raise ConfigurationError(f"that is no token, it has spaces, lines or other characters in it: {where}")
    kind = claims(token).get("typ")
    if isinstance(kind, str) and kind in OTHER_KINDS:
        raise ConfigurationError(f"that is {OTHER_KINDS[kind]}, which ends within hours: {where}")
    return token


def expires(token: str) -> bool:
    """Say whether a token says that it is a refresh token, but no offline one."""
    return claims(token).get("typ") == EXPIRING
