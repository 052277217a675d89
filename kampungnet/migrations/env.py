"""Runs migrations on the connection that :mod:`kampungnet.core.migrate` hands over."""

from alembic import context

from kampungnet import tables
from kampungnet.core.database import Base

tables.load()
context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
