"""The refresh token in the keyring of the system: an entry of a service, with the base URL as its user.

So a token is never sent to another account than the one that it was stored for.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from resources.errors import ConfigurationError


def read_token(service: str, base_url: str) -> str:
    """Give the token that is kept for an account; empty where there is none."""
    with _explained():
        import keyring

        return keyring.get_password(service, _user(base_url)) or ""


def write_token(service: str, base_url: str, token: str) -> str:
    """Keep an account's token in place of an earlier one; give the keyring's name."""
    with _explained():
        import keyring

        keyring.set_password(service, _user(base_url), token)
        name = keyring.get_keyring().name
    if read_token(service, base_url) != token:  # there is a keyring that keeps nothing, to switch them off
        raise ConfigurationError(f"the system's keyring ({name}) has not kept the token")
    return name


def _user(base_url: str) -> str:
    return base_url.strip().rstrip("/")


@contextmanager
def _explained() -> Iterator[None]:
    """Say what to do where there is no keyring, or it stays locked; nothing of what it says is shown."""
    try:
        from keyring.errors import KeyringError
    except ModuleNotFoundError:
        raise ConfigurationError(
            "the library for the system's keyring is missing: .venv/bin/pip install -e '.[keyring]'"
        ) from None
    try:
        yield
    except (KeyringError, ImportError, OSError) as error:
        raise ConfigurationError(
            f"the system's keyring cannot be used ({type(error).__name__}). Where there is none, as on a "
            "server, keep the token in .env (targetdata login), or in a file that "
            "TARGETDATA_REFRESH_TOKEN_FILE names"
        ) from None
