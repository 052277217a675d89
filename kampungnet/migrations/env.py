"""Runs migrations on the connection that :mod:`kampungnet.core.migrate` hands over."""

from alembic import context

from kampungnet import tables
from kampungnet.core import sight
from kampungnet.core.database import Base

tables.load()
connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    sight.see_everything(connection)  # a migration may bring rows into another form
    context.run_migrations()
