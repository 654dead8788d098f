"""The privacy of one extract: whom it leaves out, and which of its texts become pseudonyms."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa

from resources.errors import ConfigurationError
from resources.graphql.query import Query
from resources.privacy.entry_fields import parse_fields
from resources.privacy.permission import Permission
from resources.privacy.places import TextPlace, text_places

TEST_PROFILE = "test_profile"
NO_NAMES: Sequence[str] = ()


class TestProfiles(StrEnum):
    """Whether test profiles are a part of the tables."""

    __test__ = False  # for pytest

    KEEP = "keep"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """What is done to each page of a query before anything of it is stored.

    It needs no key; what is done with it does (see `Screen`).
    """

    query: Query = field(repr=False)
    pseudonyms: tuple[TextPlace, ...] = ()
    test_profiles: TestProfiles = TestProfiles.KEEP
    permission: Permission | None = None

    @classmethod
    def of(
        cls,
        query: Query,
        *,
        pseudonymise: Sequence[str] = NO_NAMES,
        test_profiles: TestProfiles | str = TestProfiles.KEEP,
        only_permission: str = "",
        fields: str = "",
    ) -> "Privacy":
        """Check what is wanted against the query.

        `pseudonymise` names texts as `owner` or `identifiers.value`; `test_profiles` may be `exclude`;
        `only_permission` is written `CS-OM=GRANTED`. `fields` says what a list's fields hold, as
        TARGETDATA_WIDE_FIELDS does. Raises ConfigurationError where the query does not have it.
        """
        wanted = _choice(test_profiles)
        if wanted is TestProfiles.EXCLUDE:
            _require_test_profile(query)
        return cls(
            query=query,
            pseudonyms=text_places(query, pseudonymise),
            test_profiles=wanted,
            permission=Permission.of(query, only_permission, parse_fields(fields))
            if only_permission
            else None,
        )

    @property
    def says(self) -> str:
        """Say what is done, for the files' footers; empty where nothing is."""
        return "; ".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        if self.pseudonyms:
            yield f"pseudonyms in {', '.join(sorted(place.name for place in self.pseudonyms))}"
        if self.test_profiles is TestProfiles.EXCLUDE:
            yield "no test profiles"
        if self.permission:
            yield f"only those with {self.permission}"

    @property
    def hash(self) -> str:
        """A digest of the query and of what is done to its pages; the query's own where nothing is."""
        said = f"{self.query.hash} {self.says}"
        return hashlib.sha256(said.encode()).hexdigest()[:16] if self.says else self.query.hash


def _choice(text: str) -> TestProfiles:
    try:
        return TestProfiles(text)
    except ValueError:
        raise ConfigurationError(
            f"test_profiles is {text!r}; it may be {' or '.join(TestProfiles)}"
        ) from None


def _require_test_profile(query: Query) -> None:
    if TEST_PROFILE not in query.rows.names or query.rows.field(TEST_PROFILE).type != pa.bool_():
        raise ConfigurationError(
            "test profiles can be excluded (TARGETDATA_TEST_PROFILES, --exclude-test-profiles) where a "
            f"boolean says which they are: select testProfile in {query.name}"
        )
