"""The files of a partition before it is published: written aside, closed, and read back."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from resources.lake.publishing.aside import Aside
from resources.lake.publishing.claim import Claim
from resources.lake.publishing.commit import Commit, Move, is_needed
from resources.lake.publishing.level import level_of
from resources.lake.publishing.manifest import FILE, NAME, Manifest, column_types
from resources.table_file import TableFile, sha256


class Unpublished:
    """One file for each table of a partition, in a folder aside; `table` is the asset's own.

    Where rows are only left out of what was published, `replacing` has the manifests of that: who observed
    them, and when, stays.
    """

    def __init__(
        self,
        root: Path,
        folder: str,
        schemas: Mapping[str, pa.Schema],
        *,
        table: str,
        claim: Claim,
        footer: Mapping[str, str],
        replacing: Mapping[str, Manifest],
    ) -> None:
        self.manifests: dict[str, Manifest] = {}
        self._root = root
        self._folder = folder
        self._claim = claim
        self._table = table
        self._replacing = replacing
        name = f"{level_of(folder)}.publish-{claim.generation}-{claim.run}"
        self.aside = Aside.make(root, self._table, name)
        self._files: dict[str, TableFile] = {}
        metadata = {**footer, "generation": str(claim.generation)}
        try:
            for each, schema in schemas.items():
                said = metadata | {"run": self._run_of(each)}
                self._files[each] = TableFile(self.aside.path / f"{each}.parquet", schema, said)
        except BaseException:
            self.discard()
            raise

    def write(self, tables: Mapping[str, pa.Table]) -> None:
        """Add rows to tables by name."""
        for name, rows in tables.items():
            self._files[name].write(rows)

    def discard(self) -> None:
        """Remove the folder, but leave what is committed and not yet in place."""
        for file in self._files.values():
            file.discard()
        if is_needed(self._root, self.aside.path):
            self.aside.release()
        else:
            self.aside.remove()

    def verified(self) -> Commit:
        """Close all files, read them back and write their manifests; the asset's own table comes last."""
        moves: list[Move] = []
        for name, file in reversed(self._files.items()):
            moves += self._moves(name, file)
        return Commit(
            table=self._table,
            folder=self._folder,
            run=self._claim.run,
            generation=self._claim.generation,
            moves=tuple(moves),
        )

    def _moves(self, name: str, file: TableFile) -> list[Move]:
        file.close()
        facts = file.verify()
        old = self._replacing.get(name)
        self.manifests[name] = Manifest(
            table=name,
            partition=self._folder,
            file=FILE,
            rows=facts.rows,
            bytes=facts.bytes,
            sha256=facts.sha256,
            columns=column_types(file.schema),
            run=self._run_of(name),
            generation=self._claim.generation,
            observed_at=old.observed_at if old else datetime.now(UTC),
            erased=old.erased + old.rows - facts.rows if old else 0,
        )
        manifest = self.manifests[name].stage(self.aside.path)
        target = Path(name, self._folder)
        return [
            Move(self._place(file.path), str(target / FILE), facts.sha256),
            Move(self._place(manifest), str(target / NAME), sha256(manifest)),
        ]

    def _run_of(self, table: str) -> str:
        old = self._replacing.get(table)
        return old.run if old else self._claim.run

    def _place(self, path: Path) -> str:
        return str(path.relative_to(self._root))
