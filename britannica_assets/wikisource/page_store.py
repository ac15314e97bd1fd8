"""The pages of a volume as they come: a SQLite file that survives a kill, and that two runs may share."""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BUSY_TIMEOUT = 60.0  # seconds that one run waits for another's commit


@dataclass(frozen=True)
class StoredPage:
    """A page; `touched` is the time of the wiki's change that `html` answers to.

    `html` is None where no fetch succeeded.
    """

    title: str
    touched: str
    revision: int
    url: str
    html: str | None
    fetched_at: str
    failure: str | None


class DamagedStoreError(Exception):
    """The file of pages is no database, or a broken one; the message names it and the remedy."""


class PageStore:
    """Each page is committed on its own; a half-written one is never read.

    Raises:
        DamagedStoreError: by any method, where the file was harmed from outside.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS pages (title TEXT PRIMARY KEY, touched TEXT NOT NULL, revision INTEGER NOT"
                " NULL, url TEXT NOT NULL, html BLOB, fetched_at TEXT NOT NULL, failure TEXT)"
            )

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT)
        try:
            # A commit outlives the killed process; waiting for the disk as well would guard against a power cut only.
            connection.execute("PRAGMA synchronous = NORMAL")
            with connection:
                yield connection
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error
        finally:
            connection.close()

    def _damaged(self, error: Exception) -> DamagedStoreError:
        return DamagedStoreError(
            f"{self._path} is damaged ({error}): delete it and materialize raw_articles again; what was materialized"
            " before fills it, and only what is newer is fetched"
        )

    def write(self, pages: Iterable[StoredPage]) -> None:
        """Stores pages in one commit, in the place of older ones of the same titles."""
        with self._connection() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        page.title,
                        page.touched,
                        page.revision,
                        page.url,
                        None if page.html is None else zlib.compress(page.html.encode()),
                        page.fetched_at,
                        page.failure,
                    )
                    for page in pages
                ),
            )

    def read(self, title: str) -> StoredPage | None:
        """The stored page of a title."""
        with self._connection() as connection:
            row = connection.execute("SELECT * FROM pages WHERE title = ?", (title,)).fetchone()
        if row is None:
            return None
        try:
            html = None if row[4] is None else zlib.decompress(row[4]).decode()
        except (zlib.error, UnicodeDecodeError) as error:
            raise self._damaged(error) from error
        return StoredPage(row[0], row[1], row[2], row[3], html, row[5], row[6])

    def touched(self) -> dict[str, str]:
        """The `touched` of each page that was fetched whole, by title."""
        with self._connection() as connection:
            rows = connection.execute("SELECT title, touched FROM pages WHERE html IS NOT NULL AND failure IS NULL")
            return dict(rows.fetchall())

    def titles(self) -> list[str]:
        """All titles, in the order in which they were first stored."""
        with self._connection() as connection:
            return [title for (title,) in connection.execute("SELECT title FROM pages ORDER BY rowid")]
