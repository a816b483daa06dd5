"""The registry of installations: its schema, tokens under keys that rotate, words that are good once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, update

from bot.domain.errors import AlreadyTaken, Busy, NotFound
from bot.storage import schema
from bot.storage.registry import registry as module
from bot.storage.registry.registry import SCRIPTS, Granted, Registry
from bot.storage.registry.tables import begun, installation, metadata
from bot.storage.registry.tokens import new_key
from bot.storage.shelf import Library

TOKEN = "xoxb-secret"
OLD, NEW = new_key(), new_key()


@pytest.fixture
def registry(library: Library) -> Registry:
    made = Registry(library, [OLD])
    assert not made.exists()
    made.upgrade()
    return made


def granted(place: str = "T0ALPHA", token: str = TOKEN) -> Granted:
    return Granted(
        place=place,
        name="Alpha",
        team=place,
        enterprise="",
        is_org=False,
        token=token,
        bot_user="U0BOT",
        bot="B0BOT",
        app="A0APP",
        installer="U0OWNER",
    )


def change(registry: Registry, statement: Any) -> None:
    registry.database.write(lambda connection: connection.execute(statement), None)


def test_the_registry_is_what_its_tables_say_and_upgrading_again_changes_nothing(registry: Registry) -> None:
    def differences(connection: Connection) -> list[Any]:
        return [
            each
            for each in compare_metadata(MigrationContext.configure(connection), metadata)
            if each[0] != "remove_table" or each[1].name != "alembic_version"
        ]

    for _ in range(2):
        assert registry.database.read(differences, None) == []
        assert registry.upgrade() == schema.newest(SCRIPTS)
    assert registry.is_current()


def test_a_token_is_read_with_any_key_and_kept_with_the_newest(library: Library, registry: Registry) -> None:
    registry.install(granted())
    registry.install(granted("T0BETA", "xoxb-other"))
    both = Registry(library, [NEW, OLD])
    assert both.find("T0ALPHA").token == TOKEN  # type: ignore[union-attr]  # installed
    assert both.rotate() == (2, 0)
    assert Registry(library, [NEW]).find("T0ALPHA").token == TOKEN  # type: ignore[union-attr]  # as above
    lost = registry.find("T0ALPHA")
    assert lost is not None
    assert (lost.token, lost.is_installed) == (None, True)
    assert registry.rotate() == (0, 2)
    kept = both.database.read(lambda each: each.execute(installation.select()).all(), None)
    assert TOKEN not in repr(kept)
    # Moved into another workspace's row, it is no token.
    change(both, update(installation).where(installation.c.place == "T0ALPHA").values(token=kept[1].token))
    assert both.find("T0ALPHA").token is None  # type: ignore[union-attr]  # as above
    assert TOKEN not in repr(both.all()) + repr(granted())


def test_a_place_keeps_its_book_and_has_no_token_after_it_left(registry: Registry) -> None:
    first = registry.install(granted())
    assert not registry.leave("T0ALPHA", "Slack", before=first.changed_at - timedelta(seconds=1))
    assert registry.leave("T0ALPHA", "Slack", before=datetime.now(UTC) + timedelta(seconds=1))
    assert not registry.leave("T0ALPHA", "Slack")
    left = registry.find("T0ALPHA")
    assert left is not None
    assert (left.token, left.is_installed, left.book) == (None, False, "T0ALPHA")
    again = registry.install(granted(token="xoxb-2"))
    assert (again.book, again.token, again.version) == ("T0ALPHA", "xoxb-2", 3)
    registry.assign("T0BETA", "main", "operator")
    for place, book in (("T0BETA", "other"), ("T0GAMMA", "main")):
        with pytest.raises(AlreadyTaken):
            registry.assign(place, book, "operator")
    assert registry.install(granted("T0BETA")).book == "main"
    registry.forget("main", "operator")
    with pytest.raises(NotFound):
        registry.of_book("main")


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_word_is_good_once_and_ten_minutes_and_there_are_not_too_many(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = registry.begin()
    assert [registry.end(made), registry.end(made), registry.end("made up")] == [True, False, False]
    late = registry.begin()
    change(registry, update(begun).values(until=datetime.now(UTC) - timedelta(seconds=1)))
    assert not registry.end(late)
    monkeypatch.setattr(module, "MOST_BEGUN", 2)
    registry.begin()
    registry.begin()
    with pytest.raises(Busy):
        registry.begin()
