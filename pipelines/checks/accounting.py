"""Nothing lost, nothing twice: a partition's files, manifests and lookups say the same."""

from pipelines.checks.books import Books
from pipelines.checks.children import compare_child
from pipelines.checks.finding import Finding
from pipelines.checks.lookups import compare_lookups
from pipelines.checks.published import PublishedExtract, PublishedFile
from resources.graphql.tables import FETCHED_AT
from resources.lake.columns_policy import column_changes

DIGITS = 12  # of a SHA-256 that are shown


def accounting(extract: PublishedExtract, folder: str, *, asked: int | None = None) -> Finding:
    """Compare a published partition with itself; `asked` is what its run has recorded.

    Raises LakeError where it cannot be compared: a file that cannot be read, or lacks a column.
    """
    books = Books()
    with extract.open(folder) as files:
        for table, file in files.items():
            _place(books, extract, table, folder, file)
            _file(books, table, file)
        books.same("generation", {table: file.generation for table, file in files.items()})
        books.same("run", {table: file.manifest.run for table, file in files.items()})
        books.figures["rows"] = files[extract.table].footer.num_rows
        if extract.lookups:
            compare_lookups(books, extract, files[extract.table], files[extract.lookups], asked)
        for child in extract.children:
            compare_child(books, child, files[child.parent], files[child.name])
            number = files[child.name].footer.num_rows
            books.figures[f"rows{child.name.removeprefix(extract.table)}"] = number
    if not books.wrong:
        return Finding(passed=True, figures=books.figures)
    says = (
        f"{extract.table} {folder}".strip()
        + f" does not add up: {'; '.join(books.wrong)}. Its files are not "
        "what its run has published, or the run was wrong: run the partition again, and report it if that "
        "changes nothing"
    )
    return Finding(passed=False, says=says, figures=books.figures)


def _place(books: Books, extract: PublishedExtract, table: str, folder: str, file: PublishedFile) -> None:
    """Look whether the files are of this partition, and whether there is no other beside them."""
    own = f"{file.manifest.table} {file.manifest.partition}".strip()
    books.same(f"place of {table}", {"its manifest is of": own, "it is in": f"{table} {folder}".strip()})
    if others := extract.others(table, folder):
        books.wrong.append(
            f"beside the file of {table} are others that nobody has published, and readers of all *.parquet "
            f"take them too; move them away: {', '.join(others)}"
        )


def _file(books: Books, table: str, file: PublishedFile) -> None:
    """Compare a file with its manifest; one column is read, so that its pages are there."""
    manifest, footer = file.manifest, file.footer
    read = file.columns([FETCHED_AT.name]).num_rows
    books.same(
        f"rows of {table}", {"its manifest": manifest.rows, "its footer": footer.num_rows, "read": read}
    )
    books.same(f"bytes of {table}", {"its manifest": manifest.bytes, "the file": file.file.size()})
    digests = {"its manifest": manifest.sha256, "the file": file.sha256}
    books.same(f"SHA-256 of {table}", digests, shown=DIGITS)
    if changes := [str(change) for change in column_changes(manifest.columns, file.schema)]:
        books.wrong.append(f"columns of {table}, from its manifest to the file: {', '.join(changes)}")
