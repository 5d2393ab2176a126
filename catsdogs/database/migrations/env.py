"""What Alembic runs around the scripts: one transaction, on the connection that `setup` hands over."""

from alembic import context

settings = context.config.attributes
context.configure(
    connection=settings["connection"],
    version_table=settings["version_table"],
    table=settings["table"],
)
context.run_migrations()
