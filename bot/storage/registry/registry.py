"""The registry of installations: asked with each request, changed when a workspace installs, leaves or is erased."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from bot.domain.errors import AlreadyTaken, Busy, NotFound
from bot.storage import schema
from bot.storage.database import now_of
from bot.storage.ids import new_id
from bot.storage.registry.tables import begun, happened, installation
from bot.storage.registry.tokens import Keys
from bot.storage.shelf import Library

SCRIPTS = Path(__file__).parent / "migrations"
STATE_LIVES = timedelta(minutes=10)
MOST_BEGUN = 1000
BUSY = "Too many installations are being made; try again in ten minutes."


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What Slack gave for an installation. Its place is the workspace, or the organisation that installed as one."""

    place: str
    name: str
    team: str
    enterprise: str
    is_org: bool
    token: str = field(repr=False)
    bot_user: str
    bot: str
    app: str
    installer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A workspace or organisation and its book; the token is nothing while it is not installed or cannot be read."""

    place: str
    book: str
    name: str
    team: str
    enterprise: str
    is_org: bool
    token: str | None = field(repr=False)
    is_installed: bool
    bot_user: str
    bot: str
    app: str
    version: int
    changed_at: datetime


class Registry:
    """The registry beside the books of a library; without keys no token can be read or kept."""

    def __init__(self, library: Library, keys: Sequence[str] = ()) -> None:
        self.database = library.registry()
        self._keys = Keys(keys) if keys else None

    def upgrade(self) -> str:
        """Bring the registry to the newest schema; makes it when it is new."""

        def work(connection: Connection) -> str:
            schema.migrate(connection, "head", SCRIPTS)
            return schema.version(connection)

        return self.database.exclusive(work)

    def is_current(self) -> bool:
        """Whether the registry is at the schema this program serves."""
        return self.database.exists() and self.database.read(schema.version, None) == schema.newest(SCRIPTS)

    def exists(self) -> bool:
        """Whether there is a registry, at whatever schema."""
        return self.database.exists() and bool(self.database.read(schema.version, None))

    # --- installing ---------------------------------------------------------------------------------------------------

    def begin(self) -> str:
        """A random word that an installation has to come back with, within ten minutes, once. Refuses: Busy."""
        made = secrets.token_urlsafe(32)

        def work(connection: Connection) -> None:
            now = now_of(connection)
            connection.execute(delete(begun).where(begun.c.until < now))
            if int(connection.execute(select(func.count()).select_from(begun)).scalar() or 0) >= MOST_BEGUN:
                raise Busy(BUSY)
            connection.execute(insert(begun), {"state": _hash(made), "until": now + STATE_LIVES})

        self.database.write(work, None)
        return made

    def end(self, state: str) -> bool:
        """Whether an installation was begun with this word and not ended yet; it is ended with that."""

        def work(connection: Connection) -> bool:
            mine = begun.c.state == _hash(state)
            fresh = connection.execute(delete(begun).where(mine, begun.c.until >= now_of(connection))).rowcount
            connection.execute(delete(begun).where(mine))
            return fresh == 1

        return self.database.write(work, None)

    def install(self, granted: Granted) -> Installation:
        """Keep what Slack gave: a place that had a book has the same again, a new one gets a book named like it."""
        assert self._keys is not None, "tokens are kept encrypted or not at all"
        token = self._keys.close(granted.token, granted.place)

        def work(connection: Connection) -> Row[tuple[object, ...]]:
            now = now_of(connection)
            values = {
                "name": granted.name[:200],
                "team": granted.team,
                "enterprise": granted.enterprise,
                "is_org": granted.is_org,
                "token": token,
                "bot_user": granted.bot_user,
                "bot": granted.bot,
                "app": granted.app,
                "changed_at": now,
            }
            mine = installation.c.place == granted.place
            known = connection.execute(select(installation.c.book).where(mine).with_for_update()).first()
            book = known.book if known is not None else granted.place
            if known is None:
                connection.execute(insert(installation), {**values, "place": granted.place, "book": book, "version": 1})
            else:
                newer = installation.c.version + 1
                connection.execute(update(installation).where(mine).values(**values, version=newer))
            _note(connection, granted.place, book, "installed", granted.installer)
            return connection.execute(select(installation).where(mine)).one()

        return self._read(self.database.write(work, None))

    def leave(self, place: str, who: str, *, before: datetime | None = None) -> bool:
        """Erase the token of a place; its book is kept. False when it has none, or installed again since `before`."""

        def work(connection: Connection) -> bool:
            mine = [installation.c.place == place, installation.c.token.is_not(None)]
            if before is not None:
                mine.append(installation.c.changed_at <= before)
            row = connection.execute(select(installation.c.book).where(*mine).with_for_update()).first()
            if row is None:
                return False
            gone = {"token": None, "version": installation.c.version + 1, "changed_at": now_of(connection)}
            connection.execute(update(installation).where(*mine).values(**gone))
            _note(connection, place, row.book, "left", who)
            return True

        return self.database.write(work, None)

    def assign(self, place: str, book: str, who: str) -> None:
        """Give a place that never installed a book that is there already. Refuses: AlreadyTaken."""

        def work(connection: Connection) -> None:
            either = (installation.c.place == place) | (installation.c.book == book)
            if connection.execute(select(installation.c.place).where(either)).first() is not None:
                raise AlreadyTaken(f"{place} has a book, or another workspace has the book {book}.")
            empty = dict.fromkeys(("name", "team", "enterprise", "bot_user", "bot", "app"), "")
            row = {"place": place, "book": book, "is_org": place.startswith("E"), "token": None, "version": 1}
            connection.execute(insert(installation), {**empty, **row, "changed_at": now_of(connection)})
            _note(connection, place, book, "assigned", who)

        self.database.write(work, None)

    # --- asking -------------------------------------------------------------------------------------------------------

    def find(self, place: str, deadline: float | None = None) -> Installation | None:
        """The installation of a place, if it ever had one."""
        row = self.database.read(
            lambda connection: connection.execute(select(installation).where(installation.c.place == place)).first(),
            deadline,
        )
        return self._read(row) if row is not None else None

    def all(self) -> Sequence[Installation]:
        """Every place that ever installed, by its book."""
        statement = select(installation).order_by(installation.c.book)
        rows = self.database.read(lambda connection: connection.execute(statement).all(), None)
        return [self._read(row) for row in rows]

    def of_book(self, book: str) -> Installation:
        """The place that a book belongs to. Refuses: NotFound."""
        found = next((each for each in self.all() if each.book == book), None)
        if found is None:
            raise NotFound(f"No workspace has a book {book}; duedesk books list names those there are.")
        return found

    # --- keeping ------------------------------------------------------------------------------------------------------

    def rotate(self) -> tuple[int, int]:
        """Encrypt every token anew with the newest key; returns how many, and how many no key opens."""
        assert self._keys is not None
        keys = self._keys

        def work(connection: Connection) -> tuple[int, int]:
            done = lost = 0
            kept = select(installation.c.place, installation.c.token).where(installation.c.token.is_not(None))
            for row in connection.execute(kept.with_for_update()).all():
                token = keys.open(row.token, row.place)
                if token is None:
                    lost += 1
                    continue
                mine = installation.c.place == row.place
                connection.execute(update(installation).where(mine).values(token=keys.close(token, row.place)))
                done += 1
            return done, lost

        return self.database.write(work, None)

    def forget(self, book: str, who: str) -> None:
        """Take a place out with its book's name; what happened to it stays."""

        def work(connection: Connection) -> None:
            place = connection.execute(select(installation.c.place).where(installation.c.book == book)).scalar() or ""
            connection.execute(delete(installation).where(installation.c.book == book))
            _note(connection, place, book, "erased", who)

        self.database.write(work, None)

    def _read(self, row: Row[tuple[object, ...]]) -> Installation:
        kept = row.token
        return Installation(
            place=row.place,
            book=row.book,
            name=row.name,
            team=row.team,
            enterprise=row.enterprise,
            is_org=row.is_org,
            token=self._keys.open(kept, row.place) if kept is not None and self._keys is not None else None,
            is_installed=kept is not None,
            bot_user=row.bot_user,
            bot=row.bot,
            app=row.app,
            version=row.version,
            changed_at=row.changed_at,
        )


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def _note(connection: Connection, place: str, book: str, what: str, who: str) -> None:
    row = {"id": new_id(), "at": now_of(connection), "place": place, "book": book, "what": what, "who": who[:40]}
    connection.execute(insert(happened), row)
