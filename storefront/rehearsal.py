"""Doing something without doing it: inside a transaction that is rolled back, and telling what it
would have written. Nothing that waits for the network can be rehearsed: the gateway refuses to be
called inside a transaction."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, event, select
from sqlalchemy.orm import Session

from storefront.db import Base, db, transaction

T = TypeVar("T")


@dataclass(frozen=True)
class Write:
    """One row that would be inserted or changed, with the values that would be written."""

    verb: str
    table: str
    values: Mapping[str, Any]


class _Over(Exception):
    """Ends the transaction, and undoes it."""


def rehearse(act: Callable[[Session], T]) -> tuple[T, list[Write]]:
    """What `act` answers, and what it would have written; nothing stays. It must answer plain
    values: rows are gone afterwards. Whatever it raises is raised."""
    writes: list[Write] = []
    answers: list[T] = []
    try:
        with transaction() as session, _listening(session.connection(), writes):
            answers.append(act(session))
            session.flush()
            raise _Over
    except _Over:
        pass
    return answers[0], _not_there(db.session(), writes)


@contextmanager
def _listening(connection: Connection, writes: list[Write]) -> Iterator[None]:
    def hear(
        _connection: Connection, _cursor: Any, _sql: str, _params: Any, context: Any, _many: bool
    ) -> None:
        verb = "insert" if context.isinsert else "update" if context.isupdate else None
        verb = "delete" if context.isdelete else verb
        if verb is None or context.compiled is None:
            return
        table = context.compiled.statement.table
        for values in context.compiled_parameters or [{}]:
            names = (column.name for column in table.columns)
            known = {name: values[name] for name in names if name in values}
            writes.append(Write(verb, table.name, _key(table, values) | known))

    event.listen(connection, "before_cursor_execute", hear)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", hear)


def _key(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Which row the ORM changes: it names the parameters of its WHERE payments_id and the like."""
    keys = (key.name for key in table.primary_key.columns)
    names = {name: f"{table.name}_{name}" for name in keys}
    return {name: values[there] for name, there in names.items() if there in values}


def _not_there(session: Session, writes: Sequence[Write]) -> list[Write]:
    """Without inserts of rows that there are: those would have been ignored."""
    return [it for it in writes if it.verb != "insert" or not _exists(session, it)]


def _exists(session: Session, write: Write) -> bool:
    table: Table = Base.metadata.tables[write.table]
    keys = list(table.primary_key.columns)
    if any(write.values.get(key.name) is None for key in keys):
        return False
    query = select(keys[0]).where(*(key == write.values[key.name] for key in keys))
    return session.execute(query).first() is not None
