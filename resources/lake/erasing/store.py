"""People erased from a lake: what is published, what stands aside, and what a run is about to publish."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from resources.errors import LakeBusy, LakeError
from resources.lake.erasing.rewriting import erased
from resources.lake.erasing.rows import counted
from resources.lake.erasing.search import Search
from resources.lake.publishing.aside import STAGING, Aside, content
from resources.lake.publishing.claim import Claims
from resources.lake.publishing.commit import is_needed, pending
from resources.lake.publishing.leftovers import OF_OLD
from resources.lake.publishing.level import level_of
from resources.lake.publishing.manifest import FILE
from resources.lake.publishing.publications import Publication, publications
from resources.lake.publishing.published import finish_forward
from resources.lake.resource import Lake
from resources.privacy.person import Person
from resources.table_file import lake_errors

WAIT_SECONDS = 300.0  # for runs that were fenced: they notice it with their next slice
LOOK_SECONDS = 0.5
LATER_SECONDS = 600.0
OF_ERASURES = "erasure-"  # in claims

Say = Callable[[str], object]


@dataclass(slots=True)
class Remains:
    """Where a person's values still are, and how often.

    What is `left` should not have them, and is named by its path; what is `shared` are rows of others, by
    table and partition.
    """

    left: dict[str, int] = field(default_factory=dict)
    shared: dict[str, int] = field(default_factory=dict)


class LakeStore:
    """A lake that people are erased from.

    `id` names the erasure in the claims that it makes; `say` gets what it is at.
    """

    def __init__(
        self, lake: Lake, *, id: str, say: Say = lambda _: None, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self.fenced = 0
        self.removed = 0
        self._lake = lake
        self._root = lake.root
        self._run = f"{OF_ERASURES}{id}"
        self._say = say
        self._wait_seconds = wait_seconds

    def count(self, person: Person) -> dict[str, int]:
        """Count their rows by table and partition; nothing is changed."""
        found: dict[str, int] = {}
        for publication in self._all("looking through"):
            for table, rows in counted(self._lake, publication, person).items():
                found[f"{table} {publication.folder}".strip()] = rows
        return found

    def erase(self, person: Person) -> dict[str, int]:
        """Remove their rows, each partition of all its tables at once; count them by table and partition.

        A run that has claimed a partition and not yet published it is fenced out: it may hold the person.
        Raises LakeBusy where such a run does not let go of what it has staged.
        """
        found: dict[str, int] = {}
        with lake_errors(self._root):
            for commit in pending(self._root):
                finish_forward(self._root, commit.table, commit.folder)
            self._fence(person)
            for publication in self._all("erasing in"):
                for table, rows in erased(self._lake, publication, person, run=self._run).items():
                    name = f"{table} {publication.folder}".strip()
                    found[name] = found.get(name, 0) + rows
            self._clear_asides(Search(person))
        return found

    def remains(self, person: Person) -> Remains:
        """Search every file for them, by content and name."""
        found, search = Remains(), Search(person)
        published = {self._path(p, table): (p, table) for p in self._all("") for table in p.manifests}
        for path in sorted(path for path in self._root.rglob("*") if path.is_file()):
            place = path.relative_to(self._root)
            self._say(f"searching {place.parts[0]}")
            hits = _hits(search, path)
            own = 0
            if hits and path in published:
                publication, table = published[path]
                own = counted(self._lake, publication, person).get(table, 0)
                if not own:
                    found.shared[f"{table} {publication.folder}".strip()] = hits
                    continue
            if hits or search.in_name(place):
                found.left[search.masked(place)] = own or hits or 1
        return found

    def _path(self, publication: Publication, table: str) -> Path:
        return self._root / table / publication.folder / FILE

    def _all(self, doing: str) -> Iterator[Publication]:
        found = publications(self._root)
        for number, publication in enumerate(found, 1):
            if doing:
                self._say(f"{doing} {publication.name} ({number} of {len(found)})")
            yield publication

    def _fence(self, person: Person) -> None:
        """Claim what runs have claimed and not published, so that they cannot publish the person any more."""
        found = publications(self._root)
        newest: dict[tuple[str, str], int] = {}
        named: dict[str, bool] = {}
        for publication in found:
            place = publication.own, level_of(publication.folder)
            generation = max(manifest.generation for manifest in publication.manifests.values())
            newest[place] = max(newest.get(place, 0), generation)
            names = _names_somebody(publication, person)
            named[publication.own] = named.get(publication.own, False) or names
        for table, level, claims in Claims.of_all(self._root):
            claim = claims.newest()
            if claim is None or claim.run.startswith(OF_ERASURES):
                continue
            if claim.generation > newest.get((table, level), 0) and named.get(table, True):
                with claims.locked():
                    claims.add(self._run, above=0)
                self.fenced += 1

    def _clear_asides(self, search: Search) -> None:
        """Remove what stands aside and has the person; wait for runs that hold such a folder."""
        until = time.monotonic() + self._wait_seconds
        while held := [path for path in _asides(self._root) if not self._is_clear(search, path)]:
            if time.monotonic() > until:
                raise LakeBusy(
                    f"{len(held)} runs hold rows of the person, the first in {held[0]}; they were told to "
                    "publish nothing and have not ended. Look at them, end them if they hang, and run this "
                    "again",
                    after_seconds=LATER_SECONDS,
                )
            self._say(f"waiting for {len(held)} runs that hold rows of the person")
            time.sleep(LOOK_SECONDS)

    def _is_clear(self, search: Search, path: Path) -> bool:
        """Remove a folder aside if it has the person; False if a living run holds one that may have."""
        files = [file for file in path.rglob("*") if file.is_file()]
        if not any(_hits(search, file) for file in files):
            return True
        if OF_OLD.fullmatch(path.name) and path.parent == self._root / STAGING:
            shutil.rmtree(path)
            self.removed += 1
            return True
        aside = Aside.adopt(path)
        if aside is None:
            return not path.exists()
        if is_needed(self._root, path):
            aside.release()
            raise LakeError(f"{path} is published and not in place: run targetdata gc, then this again")
        aside.remove()
        self.removed += 1
        return True


def _asides(root: Path) -> Iterator[Path]:
    for folder in content(root / STAGING):
        if OF_OLD.fullmatch(folder.name):
            yield folder
        else:
            yield from content(folder)


def _hits(search: Search, path: Path) -> int:
    """Count where a person is in a file; one that cannot be read may have them, but an empty one."""
    try:
        return search.in_file(path)
    except FileNotFoundError:
        return 0
    except (OSError, pa.ArrowInvalid):
        return 1


def _names_somebody(publication: Publication, person: Person) -> bool:
    """Say whether some table of a publication has a column that may name a person."""
    columns = {*person.identified.values(), *person.identities, *person.keys}
    return any(columns & manifest.columns.keys() for manifest in publication.manifests.values())
