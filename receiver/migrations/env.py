"""Run by Alembic, on the connection that `Database.migrate` (or the developer's command) brings."""

from alembic import context

from receiver.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite can, where BEGIN is ours: a migration killed half-way leaves nothing
)
context.run_migrations()
