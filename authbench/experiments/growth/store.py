"""What one strategy keeps of its logins: filled by its own command, measured by the servers' own counts, cleaned."""

import errno
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import redis
from psycopg import sql

from authbench.backends.embedded import EmbeddedStack
from authbench.errors import StackError
from authbench.stack.databases import database_of

SIZES = """
SELECT pg_relation_size(%(table)s::regclass), pg_indexes_size(%(table)s::regclass),
       pg_total_relation_size(%(table)s::regclass),
       (SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = %(table)s::regclass)
"""
FLUSHED_WITHIN_S = 5.0  # a backend hands its counts over when it ends, a moment after its client has gone
WAITING_WITHIN_S = 30.0  # for the cleaning command, which starts in half a second
PAUSE_S = 0.01
STEP_S, UNCHANGED = 0.15, 3  # a server looks after its tables and clients ten times a second


@dataclass(frozen=True, slots=True)
class Table:
    """Sizes as PostgreSQL gives them."""

    stored: int  # rows that can be read
    heap_bytes: int
    index_bytes: int
    total_bytes: int  # with the small maps beside the table
    dead_rows: int

    def values(self) -> dict[str, float | None]:
        """Measure -> value."""
        each = self.total_bytes / self.stored if self.stored else None
        sizes = {"heap_bytes": self.heap_bytes, "index_bytes": self.index_bytes, "total_bytes": self.total_bytes}
        return {"stored": self.stored, **sizes, "dead_rows": self.dead_rows, "row_bytes": each}


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What the cleaning command said."""

    seconds: float
    statements: int
    removed: int


class Store:
    """One strategy's table and cache entries. Use as a context manager; nobody else may grow them meanwhile."""

    def __init__(self, stack: EmbeddedStack, strategy: str) -> None:
        self._stack = stack
        self._strategy = strategy
        self._output = stack.folder / f"grown-{strategy}.json"
        self._credentials = stack.folder / f"grown-{strategy}.jsonl"
        self.table: str | None = None  # where its logins stand; None: in no table
        self._place = list(stack.variants).index(strategy)  # number of its database in the cache
        self.cached = "cache" in stack.strategies[strategy].stores

    def __enter__(self) -> "Store":
        self._connection: psycopg.Connection[tuple[object, ...]] = self._stack.postgres.connect(
            database_of(self._strategy)
        )
        self._client: redis.Redis = self._stack.valkey.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._client.close()

    def grow(self, live: int, ended: int, made: int) -> Sequence[Mapping[str, Any]]:
        """Exactly so many logins; the `made` ones by the strategy's own code, as minted rows. VACUUMed and written out.

        Raises StackError where the store holds another number in the end.
        """
        self.forget()
        if self.cached:
            # The log of slow commands would keep the copying ones, values and all.
            self._client.config_set("slowlog-log-slower-than", -1)
            self._client.config_set("latency-tracking", "no")
            self._fill(2, 0, 1)  # the server compiles the script that copies, and keeps it: no entry's memory
            self.forget()
            self._empty_bytes = self._settled()
        self._fill(live, ended, made)
        grown = json.loads(self._output.read_bytes())
        wrong = {name: rows for name, rows in grown["tables"].items() if rows != live + ended}
        if wrong or len(grown["tables"]) > 1 or (self.cached and grown["keys"] != live):
            raise StackError(f"{self._strategy}: {live} live and {ended} ended logins wanted, there are {grown}")
        self.table = next(iter(grown["tables"]), None)
        self.keys = int(grown["keys"])
        self.vacuum(analyze=True)
        self._connection.execute("CHECKPOINT")
        return [json.loads(line) for line in self._credentials.read_text(encoding="utf-8").splitlines()]

    def measured(self, dead: int = 0) -> Table | None:
        """The table as it is now, once PostgreSQL knows of that many dead rows; None where there is no table."""
        if self.table is None:
            return None
        deadline = time.monotonic() + FLUSHED_WITHIN_S
        while True:
            row = self._connection.execute(SIZES, {"table": self.table}).fetchone()
            assert row is not None
            heap, indexes, total, dead_rows = (int(str(value)) for value in row)
            if dead_rows >= dead or time.monotonic() > deadline:
                break
            time.sleep(PAUSE_S)
        stored = self._count(sql.SQL("SELECT count(*) FROM {}"))
        return Table(stored, heap, indexes, total, dead_rows)

    def memory(self) -> dict[str, float | None]:
        """What the entries take in the cache, beyond what it took when it had none of them."""
        if not self.cached:
            return {}
        used = self._settled() - self._empty_bytes
        return {"keys": self.keys, "memory_bytes": used, "key_bytes": used / self.keys if self.keys else None}

    def vacuum(self, *, analyze: bool = False, full: bool = False) -> float:
        """Runs VACUUM on the table; how many seconds that took."""
        began = time.monotonic()
        if self.table is not None:
            options = [*(["ANALYZE"] if analyze else []), *(["FULL"] if full else [])]
            told = f" ({', '.join(options)})" if options else ""
            self._connection.execute(sql.SQL("VACUUM" + told + " {}").format(sql.Identifier(self.table)))
        return time.monotonic() - began

    @contextmanager
    def cleaning(self) -> Iterator["Cleaning"]:
        """The cleaning command, connected and waiting for `begin`; the block ends when it has ended."""
        assert self.table is not None
        after, until = (self._stack.folder / f"clean-{self._strategy}-{moment}.fifo" for moment in ("after", "until"))
        for fifo in (after, until):
            fifo.unlink(missing_ok=True)
            os.mkfifo(fifo, 0o600)
        self._output.unlink(missing_ok=True)
        arguments = ("--table", self.table, "--after", str(after), "--until", str(until))
        command = self._stack.command(self._strategy, "clean", *arguments, output=self._output)
        cleaning = Cleaning(lambda: self._stack.run(command), after, until, self._output)
        cleaning.wait()
        try:
            yield cleaning
        finally:
            cleaning.end()

    def forget(self) -> None:
        """Empties the store: the next one's must find room. The strategy's credentials are worth nothing afterwards."""
        if self.table is not None:
            self._connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(self.table)))
        if self.cached:
            with redis.Redis.from_url(self._stack.valkey.url(self._place)) as own:
                own.flushdb()

    def _fill(self, live: int, ended: int, made: int) -> None:
        amounts = ("--live", str(live), "--ended", str(ended), "--made", str(made), "--out", str(self._credentials))
        self._stack.run(self._stack.command(self._strategy, "grow", *amounts, output=self._output))

    def _settled(self) -> int:
        """Memory once it no longer changes: hash tables shrink step by step, and buffers of clients go after them."""
        deadline, before, unchanged = time.monotonic() + FLUSHED_WITHIN_S, self._memory(), 0
        while unchanged < UNCHANGED and time.monotonic() < deadline:
            time.sleep(STEP_S)
            now = self._memory()
            unchanged, before = (unchanged + 1 if now == before else 0), now
        return before

    def _memory(self) -> int:
        """Bytes of the server's data and of the hash tables of this strategy's database; no client's, no script's."""
        stats = self._client.memory_stats()
        assert isinstance(stats, dict)
        tables = stats.get(f"db.{self._place}", {})
        parts = iter(tables if isinstance(tables, list) else [each for pair in tables.items() for each in pair])
        return int(stats["dataset.bytes"]) + sum(int(size) for _, size in zip(parts, parts, strict=True))

    def _count(self, question: sql.SQL) -> int:
        row = self._connection.execute(question.format(sql.Identifier(str(self.table)))).fetchone()
        assert row is not None
        return int(str(row[0]))


class Cleaning:
    """The command, run in a thread of its own."""

    def __init__(self, run: Callable[[], None], after: Path, until: Path, output: Path) -> None:
        self._after, self._until = after, until
        self._output = output
        self._begun = False
        self._failed: BaseException | None = None

        def kept() -> None:
            try:
                run()
            except BaseException as error:  # told to whoever waits
                self._failed = error

        self._thread = threading.Thread(target=kept, daemon=True)
        self._thread.start()

    @property
    def said(self) -> Cleaned:
        """What it counted; after its end."""
        return Cleaned(**json.loads(self._output.read_bytes().splitlines()[-1]))

    def wait(self) -> None:
        """Until it says that it waits. Raises StackError where it does not come so far."""
        deadline = time.monotonic() + WAITING_WITHIN_S
        while not self._output.is_file() or b"\n" not in self._output.read_bytes():
            if self._failed is not None:
                raise self._failed
            if time.monotonic() > deadline:
                raise StackError(f"clean: was not ready within {WAITING_WITHIN_S:.0f} s")
            time.sleep(PAUSE_S)

    def begin(self) -> None:
        """Lets it go, once."""
        if not self._begun:
            self._begun = True
            self._open(self._after)

    def end(self) -> None:
        """Waits for the deletion's end, then the command's. Raises what it failed with."""
        self.begin()
        self._open(self._until)
        self._thread.join()
        if self._failed is not None:
            raise self._failed

    def _open(self, fifo: Path) -> None:
        """Opens and closes a FIFO as soon as the command reads it; nothing where it has ended."""
        while self._thread.is_alive():
            try:
                os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                time.sleep(PAUSE_S)
            else:
                return
