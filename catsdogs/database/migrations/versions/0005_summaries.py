"""Create the roll-ups of every hour and day, and triggers that record the hours that changed since."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0005"
down_revision = "0004"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables and the triggers; every hour is stale at first."""
    name = op.get_context().opts["table"]
    op.create_table(
        f"{name}_summary",
        sa.Column("hours", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("start", MOMENT, primary_key=True),
        sa.Column("model_version", sa.Text, primary_key=True),
        sa.Column("prediction_result", sa.Text, primary_key=True),
        sa.Column("predictions", sa.Integer, nullable=False),
        sa.Column("consents", sa.Integer, nullable=False),
        sa.Column("satisfied", sa.Integer, nullable=False),
        sa.Column("unsatisfied", sa.Integer, nullable=False),
        sa.Column("milliseconds", sa.Double),
        sa.Column("fastest", sa.Double),
        sa.Column("slowest", sa.Double),
        sa.Column("bins", ARRAY(sa.SmallInteger)),
        sa.Column("counts", ARRAY(sa.Integer)),
        sa.CheckConstraint("hours IN (1, 24)", "hour_or_day"),
    )
    op.create_table(f"{name}_stale", sa.Column("start", MOMENT, nullable=False))
    for statement in _TRIGGERS:
        op.execute(statement.format(name=name))


def downgrade() -> None:
    """Drop triggers and tables."""
    name = op.get_context().opts["table"]
    for event in ("insert", "update", "delete", "truncate"):
        op.execute(f'DROP TRIGGER "{name}_{event}" ON "{name}"')
    op.execute(f'DROP FUNCTION "{name}_changed"()')
    op.drop_table(f"{name}_stale")
    op.drop_table(f"{name}_summary")


# ruff: noqa: S608 (the one name in the statements is that of a table, whose letters Settings has checked)
_HOUR = "date_bin('1 hour', \"timestamp\", '2001-01-01 00:00+00')"
_TRIGGERS = (
    f"""CREATE FUNCTION "{{name}}_changed"() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'TRUNCATE' THEN
            DELETE FROM "{{name}}_summary";
            DELETE FROM "{{name}}_stale";
        ELSE
            INSERT INTO "{{name}}_stale" SELECT DISTINCT {_HOUR} FROM changed;
            IF TG_OP = 'UPDATE' THEN
                INSERT INTO "{{name}}_stale" SELECT {_HOUR} FROM became EXCEPT SELECT {_HOUR} FROM changed;
            END IF;
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER "{name}_insert" AFTER INSERT ON "{name}" REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "{name}_changed"()""",
    """CREATE TRIGGER "{name}_update" AFTER UPDATE ON "{name}" REFERENCING OLD TABLE AS changed NEW TABLE AS became
    FOR EACH STATEMENT EXECUTE FUNCTION "{name}_changed"()""",
    """CREATE TRIGGER "{name}_delete" AFTER DELETE ON "{name}" REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "{name}_changed"()""",
    """CREATE TRIGGER "{name}_truncate" AFTER TRUNCATE ON "{name}"
    FOR EACH STATEMENT EXECUTE FUNCTION "{name}_changed"()""",
    # Goes from hour to hour by the index, because writers wait for the triggers' lock, however many rows there are.
    f"""INSERT INTO "{{name}}_stale"
    WITH RECURSIVE hour AS (
        SELECT {_HOUR} AS start FROM (SELECT min("timestamp") AS "timestamp" FROM "{{name}}") AS earliest
        UNION ALL
        SELECT (
            SELECT {_HOUR} FROM "{{name}}" WHERE "timestamp" >= start + interval '1 hour' ORDER BY "timestamp" LIMIT 1
        ) FROM hour WHERE start IS NOT NULL
    ) SELECT start FROM hour WHERE start IS NOT NULL""",
)
