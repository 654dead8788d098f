"""The files of a partition before it is published: written aside, closed, and read back."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from resources.lake.aside import Aside
from resources.lake.claim import Claim
from resources.lake.commit import Commit, Move, is_needed
from resources.lake.level import level_of
from resources.lake.manifest import FILE, NAME, Manifest, column_types
from resources.table_file import TableFile, sha256


class Unpublished:
    """One file for each table of a partition, in a folder aside; the first table is the asset's own."""

    def __init__(
        self,
        root: Path,
        folder: str,
        schemas: Mapping[str, pa.Schema],
        *,
        claim: Claim,
        footer: Mapping[str, str],
    ) -> None:
        self.manifests: dict[str, Manifest] = {}
        self._root = root
        self._folder = folder
        self._claim = claim
        self._table = next(iter(schemas))
        name = f"{level_of(folder)}.publish-{claim.generation}-{claim.run}"
        self.aside = Aside.make(root, self._table, name)
        self._files: dict[str, TableFile] = {}
        metadata = {**footer, "generation": str(claim.generation), "run": claim.run}
        try:
            for table, schema in schemas.items():
                self._files[table] = TableFile(self.aside.path / f"{table}.parquet", schema, metadata)
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
        self.manifests[name] = Manifest(
            table=name,
            partition=self._folder,
            file=FILE,
            rows=facts.rows,
            bytes=facts.bytes,
            sha256=facts.sha256,
            columns=column_types(file.schema),
            run=self._claim.run,
            generation=self._claim.generation,
            observed_at=datetime.now(UTC),
        )
        manifest = self.manifests[name].stage(self.aside.path)
        target = Path(name, self._folder)
        return [
            Move(self._place(file.path), str(target / FILE), facts.sha256),
            Move(self._place(manifest), str(target / NAME), sha256(manifest)),
        ]

    def _place(self, path: Path) -> str:
        return str(path.relative_to(self._root))
