"""The privacy that the settings want of an extract, and the key of it, which is a secret."""

from pathlib import Path

from pydantic import BaseModel, Field

from pipelines.environment import environment
from pipelines.variables import PREFIX, value
from resources.graphql.query import Query
from resources.privacy import Privacy, Screen, Suppression


class Secret(BaseModel):
    """Read where it is used, in the process of a run, and kept nowhere."""

    privacy_key: str = Field(
        "",
        repr=False,
        description="The key of pseudonyms and of the suppression list, a secret: see docs/privacy.md.",
    )


def privacy_of(query: Query) -> Privacy:
    """Give what the settings want of an extract of profiles."""
    settings = environment()
    return Privacy.of(
        query,
        pseudonymise=[name for name in settings.pseudonymise.split(",") if name.strip()],
        test_profiles=settings.test_profiles,
        only_permission=settings.only_permission,
        fields=settings.wide_fields,
    )


def privacy_key() -> str:
    """Read the key; empty where none is set."""
    return value("privacy_key", PREFIX)


def suppression_of(root: Path) -> Suppression:
    """Read the suppression list of the lake at `root`."""
    return Suppression.read(root, privacy_key())


def screen_of(privacy: Privacy, root: Path) -> Screen:
    """Give what the pages of a run into the lake at `root` pass."""
    return Screen(privacy, suppression_of(root), privacy_key())
