"""Alembic's migrations: numbered, verb first. `Database.migrate` runs them in one transaction."""
