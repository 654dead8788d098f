"""Nothing lost, nothing twice: a partition's files, manifests and lookups say the same numbers."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.checks.finding import Figure, Finding
from pipelines.checks.published import PublishedExtract, PublishedFile, status_counts
from resources.graphql.tables import FETCHED_AT

STATUSES = ("found", "not_found", "failed")
DIGITS = 12  # of a SHA-256 that are shown


class Books:
    """Compares numbers that must be the same, and keeps the sentences about those that are not."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.figures: dict[str, Figure] = {}

    def same(self, what: str, numbers: Mapping[str, int | str]) -> None:
        """Take note where not all are the same."""
        if len(set(numbers.values())) > 1:
            self.wrong.append(f"{what}: " + ", ".join(f"{name} {_shown(n)}" for name, n in numbers.items()))


def accounting(extract: PublishedExtract, folder: str, *, asked: int | None = None) -> Finding:
    """Count a published partition again; `asked` is what its run has recorded."""
    books = Books()
    with extract.open(folder) as files:
        for table, file in files.items():
            _file(books, table, file)
        books.same("generation", {table: file.generation for table, file in files.items()})
        rows = _rows(extract, files[extract.table])
        books.figures["rows"] = files[extract.table].footer.num_rows
        if extract.lookups:
            _lookups(books, extract, files[extract.lookups], rows, asked)
    if not books.wrong:
        return Finding(passed=True, figures=books.figures)
    says = (
        f"{extract.table} {folder}".strip()
        + f" does not add up: {'; '.join(books.wrong)}. Its files are not "
        "what its run has published, or the run was wrong: run the partition again, and report it if that "
        "changes nothing"
    )
    return Finding(passed=False, says=says, figures=books.figures)


def _file(books: Books, table: str, file: PublishedFile) -> None:
    """Compare a file with its manifest; one column is read, so that its pages are there."""
    manifest, footer = file.manifest, file.footer
    read = len(file.column(FETCHED_AT.name))
    books.same(
        f"rows of {table}", {"its manifest": manifest.rows, "its footer": footer.num_rows, "read": read}
    )
    books.same(f"bytes of {table}", {"its manifest": manifest.bytes, "the file": file.file.size()})
    books.same(f"SHA-256 of {table}", {"its manifest": manifest.sha256, "the file": file.sha256})
    books.same(f"generation of {table}", {"its manifest": manifest.generation, "its footer": file.generation})


def _rows(extract: PublishedExtract, file: PublishedFile) -> dict[str, int]:
    """Count the rows of the extract's own table, and what tells them apart."""
    rows = {"rows": file.footer.num_rows}
    if extract.lookups and extract.identity:
        rows["distinct in it"] = _distinct(file.column(extract.identity))
    return rows


def _lookups(
    books: Books, extract: PublishedExtract, file: PublishedFile, rows: dict[str, int], asked: int | None
) -> None:
    """Compare the lookups with themselves, with the extract's rows, and with what the run has recorded."""
    counts = status_counts(file.file)
    once = _groups(pq.read_table(file.file, columns=extract.keys))
    recorded = {} if asked is None else {"asked by its run": asked}
    books.same("keys", {"lookups": counts.total(), "distinct": once, **recorded})
    books.same(
        "lookups", {"all": counts.total(), " + ".join(STATUSES): sum(counts[status] for status in STATUSES)}
    )
    made = _made(file.file) if extract.identity else counts["found"]
    books.same(f"rows of {extract.table}", {"by the lookups found": made, **rows})
    books.figures["keys_asked"] = counts.total()
    books.figures.update({f"keys_{status}": counts[status] for status in STATUSES})


def _made(file: pa.NativeFile) -> int:
    """Count the rows that the found lookups lead to: one for each identity, and each without one."""
    lookups = pq.read_table(file, columns=["status", "identity"])
    return _distinct(lookups.filter(pc.equal(lookups["status"], "found"))["identity"])


def _distinct(identities: pa.ChunkedArray) -> int:
    """Count the different ones, and each that is null."""
    values = pa.table({"identity": identities.drop_null()})
    return _groups(values) + int(identities.null_count)


def _groups(table: pa.Table) -> int:
    number: int = table.group_by(table.column_names).aggregate([]).num_rows  # faster than count_distinct
    return number


def _shown(number: int | str) -> str:
    return f"{number:,}" if isinstance(number, int) else number[:DIGITS]
