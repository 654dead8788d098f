"""The sandbox's tokens: an offline refresh token, and access tokens (JWT) that really expire."""

import secrets
import time
import uuid
from html import escape

import jwt
from aiohttp import web

PASSWORD = "secret"  # any user's: the form says so
FORM = f"""<!doctype html><title>Sign in</title><h1>Sign in to the look-alike</h1>
<p>Any user may, with the password <code>{PASSWORD}</code>.</p>
<form method="post"><label>User <input name="username"></label>
<label>Password <input name="password" type="password"></label><button>Sign in</button></form>"""
WRONG = """<p role="alert">Invalid username or password.</p>"""
PAGE = """<!doctype html><title>Offline token</title><h1>Your offline refresh token</h1>
<code id="offline-refresh-token">{token}</code><p>It never expires. Keep it in a vault.</p>"""
SCOPE = "email offline_access profile"


class Tokens:
    """Makes and checks access tokens; `claimed_seconds` is what they say of their life, if it is a lie."""

    def __init__(self, refresh_token: str, seconds: float, claimed_seconds: float | None) -> None:
        self.refresh_token = refresh_token
        self.seconds = seconds
        self.claimed_seconds = claimed_seconds
        self._secret = secrets.token_bytes(32)
        self._ends: dict[str, float] = {}
        self.made: list[str] = []

    def make(self, *, expires_in: bool) -> dict[str, object]:
        """Make an access token and the documented answer around it."""
        claimed = self.seconds if self.claimed_seconds is None else self.claimed_seconds
        now, jti = time.time(), str(uuid.uuid4())
        claims = {"iat": now, "exp": now + claimed, "jti": jti, "azp": "targetdata-gql", "scope": SCOPE}
        claims["typ"] = "Bearer"
        self._ends[jti] = time.monotonic() + self.seconds
        self.made.append(jwt.encode(claims, self._secret, "HS256"))
        return {
            "access_token": self.made[-1],
            **({"expires_in": int(claimed) if claimed >= 1 else claimed} if expires_in else {}),
            "refresh_expires_in": 0,
            "refresh_token": self.refresh_token,
            "token_type": "Bearer",
            "session_state": str(uuid.uuid4()),
            "scope": SCOPE,
        }

    def accepted(self, header: str | None) -> str | None:
        """Give the id of a token that is valid now."""
        scheme, _, token = (header or "").partition(" ")
        if scheme != "Bearer":
            return None
        try:
            claims = jwt.decode(
                token, self._secret, ["HS256"], options={"verify_exp": False, "verify_iat": False}
            )
        except jwt.InvalidTokenError:
            return None
        ends = self._ends.get(claims["jti"], 0.0)
        return str(claims["jti"]) if time.monotonic() < ends else None

    def revoke(self) -> None:
        """Make all access tokens invalid."""
        self._ends.clear()


async def login_form(_: web.Request) -> web.Response:
    """Show the login form."""
    return web.Response(text=FORM, content_type="text/html")


async def login(request: web.Request, tokens: Tokens) -> web.Response:
    """Show the offline refresh token to whoever gives a user and the password."""
    form = await request.post()
    if not form.get("username") or form.get("password") != PASSWORD:
        return web.Response(text=FORM + WRONG, content_type="text/html", status=401)
    return web.Response(text=PAGE.format(token=escape(tokens.refresh_token)), content_type="text/html")


async def token_answer(
    request: web.Request,
    tokens: Tokens,
    *,
    refuse: int | None,
    expires_in: bool,
    rotated: str | None,
    telling: str,
) -> web.Response:
    """Answer POST /auth/token as documented."""
    form = await request.post()
    if "refresh_token" not in form:
        return web.json_response(
            {"error": "invalid_request", "error_description": "refresh_token is missing"}, status=400
        )
    if refuse or form["refresh_token"] != tokens.refresh_token:
        said = f"Offline session not active{telling}"
        error = {"error": "invalid_grant", "error_description": said}
        return web.json_response(error, status=refuse or 400)
    answer = tokens.make(expires_in=expires_in)
    return web.json_response(answer | {"refresh_token": rotated or tokens.refresh_token})
