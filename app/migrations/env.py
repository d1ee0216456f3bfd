"""Alembic's environment (迁移环境): online only, one transaction for the whole upgrade."""

from alembic import context
from sqlalchemy import create_engine, pool, text

MIGRATION_LOCK = 7_211_001

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    connection.execute(text("set lock_timeout = '10s'"))
    connection.execute(text(f"select pg_advisory_lock({MIGRATION_LOCK})"))
    connection.commit()
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
