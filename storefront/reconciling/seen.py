"""What a comparison has seen and told so far, in a scratch file: a million ids need no memory."""

import sqlite3
from collections.abc import Iterable, Sequence

from storefront.reconciling.difference import Difference

IDS_AT_ONCE = 500


class Seen:
    """SQLite makes its own temporary file for a database without a name, and deletes it when it is
    closed; it holds two megabytes of it in memory. Nothing is ever committed or synced."""

    def __init__(self) -> None:
        self._scratch = sqlite3.connect("")
        self._scratch.execute("CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID")
        self._scratch.execute("CREATE TABLE about (id TEXT PRIMARY KEY) WITHOUT ROWID")
        told = "subject TEXT, kind TEXT, PRIMARY KEY (subject, kind)"
        self._scratch.execute(f"CREATE TABLE told ({told}) WITHOUT ROWID")

    def close(self) -> None:
        self._scratch.close()

    def add(self, ids: Iterable[str]) -> None:
        """Stripe has these."""
        self._scratch.executemany("INSERT OR IGNORE INTO seen VALUES (?)", ((id,) for id in ids))

    def unseen(self, ids: Sequence[str]) -> list[str]:
        """Those of these ids that Stripe has not listed, in their order."""
        found: set[str] = set()
        for start in range(0, len(ids), IDS_AT_ONCE):
            some = ids[start : start + IDS_AT_ONCE]
            marks = ", ".join("?" * len(some))
            query = f"SELECT id FROM seen WHERE id IN ({marks})"  # noqa: S608  marks alone
            found |= {id for (id,) in self._scratch.execute(query, some)}
        return [id for id in ids if id not in found]

    def tell(self, difference: Difference) -> bool:
        """Note that a difference is being told; False when it was already: two lists of Stripe's
        may show the same one."""
        self.note(difference)
        named = (difference.subject, difference.kind)
        made = self._scratch.execute("INSERT OR IGNORE INTO told VALUES (?, ?)", named)
        return made.rowcount > 0

    def note(self, difference: Difference) -> None:
        """Something is known to be different, or moving, about these."""
        for id in (difference.stripe_id, difference.our_id):
            if id is not None:
                self._scratch.execute("INSERT OR IGNORE INTO about VALUES (?)", (id,))

    def noted(self, id: str) -> bool:
        """Whether anything was noted about this."""
        found = self._scratch.execute("SELECT 1 FROM about WHERE id = ?", (id,)).fetchone()
        return found is not None
