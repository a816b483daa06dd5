"""Alembic for the registry: a tree of its own, as a book may be upgraded without it and it without a book."""

from alembic import context

from bot.storage.registry.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=False)
context.run_migrations()
