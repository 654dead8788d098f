"""What a token says of itself, if it is a JWT; it is not verified, only its own server could."""

import base64
from collections.abc import Mapping

import msgspec


def claims(token: str) -> Mapping[str, object]:
    """Read a token's claims; there are none where it is not base64, not JSON, not a JWT."""
    try:
        payload = token.split(".")[1]
        said = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
