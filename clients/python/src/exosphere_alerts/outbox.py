"""Events on the disk until the host has them: all SQL of this package, and nothing of HTTP.

One SQLite file, which several threads and processes may share. A write is on the disk when
`settle` returns. Threads that write at the same time share one transaction, so that they share
its `fsync` too.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .errors import DiskFull, OutboxError, OutboxFull

VERSION = 1
BUSY_S = 30.0
"""How long a write waits for those of other processes, which take milliseconds each."""
GROUP_EVENTS = 1000
"""Most events that share one transaction: beyond, only the first ones wait longer."""
MAX_REFUSED = 10_000
"""Refused events that are kept for a person to look at; the oldest make room."""
SHRINK_PAGES = 1000
"""Pages of 4 KiB that are free before the file is made smaller."""

_SCHEMA = f"""
CREATE TABLE waiting (seq INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL);
CREATE TABLE refused (
    seq INTEGER PRIMARY KEY, body BLOB NOT NULL, status INTEGER NOT NULL, detail TEXT NOT NULL,
    refused_at TEXT NOT NULL);
-- Counting rows would take longer the more of them wait.
CREATE TABLE totals (events INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0);
CREATE TRIGGER waits AFTER INSERT ON waiting BEGIN
    UPDATE totals SET events = events + 1, bytes = bytes + length(NEW.body);
END;
CREATE TRIGGER waits_no_more AFTER DELETE ON waiting BEGIN
    UPDATE totals SET events = events - 1, bytes = bytes - length(OLD.body);
END;
PRAGMA user_version = {VERSION};
"""


@dataclass(frozen=True)
class Waiting:
    """A stored event and its place in the queue."""

    seq: int
    body: bytes


@dataclass(frozen=True)
class Refused:
    """An event that the host did not take, with its answer."""

    seq: int
    body: bytes
    status: int
    detail: str
    refused_at: str


class Ticket:
    """Events that are to be stored together, or none of them."""

    def __init__(self, bodies: Sequence[bytes]) -> None:
        self.bodies = bodies
        self.bytes = sum(map(len, bodies))
        self.is_settled = False
        self.error: OutboxError | None = None
        self.last_seq = 0


class Outbox:
    """The file, opened when it is first used.

    Args:
        path: On a local disk; SQLite's locks do not hold on a network's.
        max_events: Events that may wait.
        max_bytes: And how many bytes they may have together.
    """

    def __init__(self, path: str | os.PathLike[str], *, max_events: int, max_bytes: int) -> None:
        self.path = Path(path).absolute()
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._queue: deque[Ticket] = deque()
        self._turn = threading.Condition()
        self._is_writing = False
        self._connection: sqlite3.Connection | None = None
        _outboxes.add(self)

    def enqueue(self, bodies: Sequence[bytes]) -> Ticket:
        """Takes a place in the queue; stored once `settle` returns."""
        ticket = Ticket(bodies)
        self._queue.append(ticket)
        return ticket

    def settle(self, ticket: Ticket) -> int:
        """Waits until the ticket's events are on the disk, and writes everybody's that are queued
        if nobody else does. Answers with the place of the last one.

        Raises:
            OutboxFull: There is no room for them.
            DiskFull: The disk took none of them.
            OutboxError: The file cannot be used.
        """
        while self._is_my_turn(ticket):
            try:
                with self._lock:
                    self._write_group()
            finally:
                with self._turn:
                    self._is_writing = False
                    self._turn.notify_all()
        if ticket.error is not None:
            raise ticket.error
        return ticket.last_seq

    def _is_my_turn(self, ticket: Ticket) -> bool:
        """Waits while another thread writes, perhaps for this ticket too. On the lock alone they would
        wait in vain: the thread that has just written takes it again before they wake."""
        with self._turn:
            while self._is_writing and not ticket.is_settled:
                self._turn.wait()
            if ticket.is_settled:
                return False
            self._is_writing = True
            return True

    def _write_group(self) -> None:
        group: list[Ticket] = []
        try:
            events = 0
            while self._queue and events < GROUP_EVENTS:
                group.append(self._queue.popleft())
                events += len(group[-1].bodies)
            with self._transaction() as db:
                for ticket in group:
                    self._insert(db, ticket)
        except OutboxError as error:
            for ticket in group:
                ticket.error = error
        except BaseException:
            # Ctrl-C in this thread is no reason for the others to fail. If it came after the
            # commit, the events are stored twice, with one id, and the host drops the second.
            self._queue.extendleft(reversed(group))
            raise
        for ticket in group:
            ticket.is_settled = True

    def _insert(self, db: sqlite3.Connection, ticket: Ticket) -> None:
        ticket.error = None
        events, size = db.execute("SELECT events, bytes FROM totals").fetchone()
        if events + len(ticket.bodies) > self._max_events or size + ticket.bytes > self._max_bytes:
            ticket.error = OutboxFull(
                f"the outbox {self.path} is full: {events} events with {size} bytes wait, and "
                f"{self._max_events} events with {self._max_bytes} bytes may. See why the host takes "
                "none (`python -m exosphere_alerts status`), or raise max_events and max_bytes"
            )
            return
        for body in ticket.bodies:
            ticket.last_seq = (
                db.execute("INSERT INTO waiting (body) VALUES (?)", (body,)).lastrowid or 0
            )

    def head(self, max_events: int, max_bytes: int, *, after_seq: int = 0) -> list[Waiting]:
        """The oldest of those after this place, at least one if any waits."""
        found: list[Waiting] = []
        with self._reading() as db:
            rows = db.execute(
                "SELECT seq, body FROM waiting WHERE seq > ? ORDER BY seq LIMIT ?",
                (after_seq, max_events),
            )
            for seq, body in rows:
                max_bytes -= len(body) + 1
                if found and max_bytes < 0:
                    break
                found.append(Waiting(seq, body))
            rows.close()
        return found

    def remove(self, up_to_seq: int) -> None:
        """So many are with the host."""
        with self._lock, self._transaction() as db:
            db.execute("DELETE FROM waiting WHERE seq <= ?", (up_to_seq,))

    def set_aside(self, refused: Sequence[Refused]) -> int:
        """Takes them out of the way of what comes after. How many older ones were dropped for it."""
        with self._lock, self._transaction() as db:
            for one in refused:
                db.execute("DELETE FROM waiting WHERE seq = ?", (one.seq,))
                db.execute(
                    "INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?)",
                    (one.seq, one.body, one.status, one.detail, one.refused_at),
                )
            surplus = "SELECT seq FROM refused ORDER BY seq DESC LIMIT -1 OFFSET ?"
            dropped = db.execute(f"DELETE FROM refused WHERE seq IN ({surplus})", (MAX_REFUSED,))
            return dropped.rowcount

    def refused(self, limit: int) -> list[Refused]:
        """The newest that the host refused."""
        with self._reading() as db:
            rows = db.execute("SELECT * FROM refused ORDER BY seq DESC LIMIT ?", (limit,))
            return [Refused(*row) for row in rows]

    def retry_refused(self) -> int:
        """Puts them all back into the queue, with the ids that they had. How many."""
        with self._lock, self._transaction() as db:
            count = db.execute("INSERT INTO waiting (body) SELECT body FROM refused").rowcount
            db.execute("DELETE FROM refused")
            return count

    def drop_refused(self) -> int:
        """Forgets them. How many."""
        with self._lock, self._transaction() as db:
            return db.execute("DELETE FROM refused").rowcount

    def totals(self) -> tuple[int, int, int]:
        """Events that wait, their bytes, and events that were refused."""
        with self._reading() as db:
            events, size = db.execute("SELECT events, bytes FROM totals").fetchone()
            (refused,) = db.execute("SELECT count(*) FROM refused").fetchone()
        return events, size, refused

    def has_waiting(self, up_to_seq: int) -> bool:
        """Whether any of the first so many waits still."""
        with self._reading() as db:
            row = db.execute("SELECT 1 FROM waiting WHERE seq <= ? LIMIT 1", (up_to_seq,))
            return row.fetchone() is not None

    def last_seq(self) -> int:
        """The newest place that was ever taken."""
        with self._reading() as db:
            row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'waiting'").fetchone()
        return int(row[0]) if row else 0

    def shrink(self) -> None:
        """Gives back to the disk what a long outage took, once there are enough free pages."""
        with self._reading() as db:
            (free,) = db.execute("PRAGMA freelist_count").fetchone()
            if free > SHRINK_PAGES:
                # Python's `execute` would stop after the first page, which has no row to show.
                db.executescript("PRAGMA incremental_vacuum")

    def close(self) -> None:
        """What waits stays in the file."""
        with self._lock:
            self._disconnect()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._told():
            yield self._connected()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._told():
            db = self._connected()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            told = self._explained(error)
            # The next one begins anew: a file may have been put right. But on a full disk it could
            # not be opened again, and what waits in it can still be read and sent.
            if not isinstance(told, DiskFull):
                self._disconnect()
            raise told from error

    def _explained(self, error: Exception) -> OutboxError:
        text = str(error)
        if "is full" in text or "No space left" in text or "disk I/O error" in text:
            return DiskFull(
                f"the outbox {self.path} could not be written ({text}): make room on its disk, or "
                "move it to another one"
            )
        if "locked" in text or "busy" in text:
            advice = f"another process kept it locked for {BUSY_S:.0f} s"
        elif "not a database" in text or "malformed" in text:
            advice = "it is damaged or another kind of file: move it away, and a new one is made"
        else:
            advice = "see that its folder is there and this user may write in it"
        return OutboxError(f"the outbox {self.path} cannot be used ({text}): {advice}")

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Events may say what is nobody else's business. One that is there is not touched: closing
            # it would take away the locks that another connection of this process has on it.
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            db = sqlite3.connect(
                self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(db)
            except BaseException:
                db.close()
                raise
            self._connection = db
        return self._connection

    def _prepare(self, db: sqlite3.Connection) -> None:
        # Before the first table, else it has no effect.
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _switch_to_wal(db)
        # With NORMAL a power cut would lose what `emit` said was stored.
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA journal_size_limit = 4194304").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            # Two processes may open a new file at the same moment.
            db.execute("BEGIN IMMEDIATE")
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _statements(_SCHEMA):
                    db.execute(statement)
                version = VERSION
            db.execute("COMMIT")
        if version != VERSION:
            raise OutboxError(
                f"the outbox {self.path} was written by another version of this package (format "
                f"{version}, this one reads {VERSION}): use that version, or another file"
            )

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def before_fork(self) -> None:
        """A connection must not be in two processes: SQLite's locks belong to the one that opened
        it, and what it remembers of them would be wrong in the child."""
        self._lock.acquire()
        self._disconnect()

    def after_fork_in_parent(self) -> None:
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """The threads whose tickets these are live in the parent, and so do their tickets."""
        self._queue.clear()
        self._turn = threading.Condition()
        self._is_writing = False
        self._lock.release()


def _switch_to_wal(db: sqlite3.Connection) -> None:
    """SQLite does not wait by itself for others that open a new file at the same moment."""
    ends_at = time.monotonic() + BUSY_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > ends_at:
                raise
            time.sleep(0.01)


def _statements(script: str) -> Iterator[str]:
    """`executescript` would commit the transaction that it is in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


_outboxes: weakref.WeakSet[Outbox] = weakref.WeakSet()
_forking: list[Outbox] = []


def _before_fork() -> None:
    _forking[:] = list(_outboxes)
    for outbox in _forking:
        outbox.before_fork()


def _after_fork_in_parent() -> None:
    for outbox in _forking:
        outbox.after_fork_in_parent()


def _after_fork_in_child() -> None:
    for outbox in _forking:
        outbox.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
