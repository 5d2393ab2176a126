"""Migration of the table of the V2 project: it is renamed, its rows are copied, and a downgrade restores it.

V2's table has the same name as ours (``DB_TABLE_MONITORING``) and an integer `id`. How each column is converted:

=====================  ==================================================================================
V2                     here
=====================  ==================================================================================
every row              one row: the migration counts both sides, and is rolled back if they differ
`id`                   a UUIDv7 made from the row's time; noted in V2's table in the column `catsdogs_id`
`timestamp`            the same moment; one without time zone is read as UTC. Without one, or with one
                       before 1970 or after 2099: `created_at`, or else the present
`prediction_result`    in lower case; if it names neither animal, the likelier one
`proba_cat/_dog`       shares that sum to 1, whether they were shares or percents; what is neither is none
`inference_time_ms`    the same, up to a day; what is longer or negative is none
`success`              true if answer, probabilities and time are present; otherwise an ``error`` of the type
                       ``LegacyError`` (V2 said so itself) or ``LegacyIncomplete`` (V2 said otherwise)
`user_feedback`        0 or 1 from a number or a boolean; anything else is no rating
`filename`, comment    only with `rgpd_consent`, on a consent row of version ``v2`` whose receipt code
                       nobody has: they are purged after the retention period. Cut to our lengths
=====================  ==================================================================================

V2's table stays as ``<name>_v2`` with all its rows and figures, but without file names and comments:
those with consent are in our table, within reach of erasure and purge; the others V2 should not have kept.
"""

# ruff: noqa: S608 (the one name in the statements is that of a table, whose letters Settings has checked)

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from catsdogs.database.rules import EARLIEST, LATEST, MAX_INFERENCE_MS
from catsdogs.database.v2_ids import ID_COLUMN as _ID_COLUMN
from catsdogs.errors import DatabaseError

_TEXT_HASH = hashlib.sha256(b"The text that V2 showed, which it did not store.").hexdigest()
_PERSONAL = ("filename", "user_comment")


def rename_v2_table(connection: sa.Connection, name: str) -> bool:
    """Rename V2's table and its indexes, whose names ours need; return whether there was one."""
    if not sa.inspect(connection).has_table(name):
        return False
    if "id" not in _columns(connection, name) or _is_uuid(connection, name):
        return False  # our table, or an unknown one, which makes the creation of ours fail
    _rename_indexes(connection, name, "index_name || '_v2'")
    connection.execute(sa.text(f'ALTER TABLE "{name}" RENAME TO "{name}_v2"'))
    return True


def copy_rows(connection: sa.Connection, name: str) -> None:
    """Copy V2's rows into our tables, and remove personal data from V2's table.

    Raises
    ------
    DatabaseError
        Not every row could be copied; the transaction is rolled back.
    """
    connection.execute(sa.text(f'ALTER TABLE "{name}_v2" ADD COLUMN {_ID_COLUMN} uuid'))
    _create_normalised_copy(connection, name)
    connection.execute(
        sa.text(
            f"""UPDATE "{name}_v2" v2 SET {_ID_COLUMN} = normalised.{_ID_COLUMN} FROM v2_normalised normalised
            WHERE v2.ctid = normalised.place"""
        )
    )
    _insert_rows(connection, name)
    _check_number_of_rows(connection, name)
    _remove_personal_data(connection, name)
    connection.execute(sa.text("DROP TABLE v2_normalised"))


def restore_personal_data(connection: sa.Connection, name: str) -> None:
    """Restore personal data that still has consent to V2's table; to be called before our tables are dropped."""
    if not _has_v2(connection, name):
        return
    for column in set(_PERSONAL) & set(_columns(connection, f"{name}_v2")):
        connection.execute(
            sa.text(
                f"""UPDATE "{name}_v2" v2 SET {column} = ours.{column} FROM "{name}" ours
                WHERE ours.id = v2.{_ID_COLUMN} AND ours.{column} IS NOT NULL"""
            )
        )


def restore_v2_table(connection: sa.Connection, name: str) -> None:
    """Restore the name of V2's table; to be called after ours have been dropped."""
    if not _has_v2(connection, name):
        return
    connection.execute(sa.text(f'ALTER TABLE "{name}_v2" DROP COLUMN {_ID_COLUMN}'))
    connection.execute(sa.text(f'ALTER TABLE "{name}_v2" RENAME TO "{name}"'))
    _rename_indexes(connection, name, "regexp_replace(index_name, '_v2$', '')")


def _insert_rows(connection: sa.Connection, name: str) -> None:
    """Insert V2's rows into our tables, with a consent for each that has personal data."""
    connection.execute(
        sa.text(
            f"""INSERT INTO consents (id, filename_and_comment, photo, text_version, text_hash, language, decided_at,
                receipt_hash)
            SELECT {_ID_COLUMN}, true, false, 'v2', :text_hash, 'fr', moment,
                encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex')
            FROM v2_normalised WHERE filename IS NOT NULL OR user_comment IS NOT NULL"""
        ),
        {"text_hash": _TEXT_HASH},
    )
    connection.execute(
        sa.text(
            f"""INSERT INTO "{name}" (id, timestamp, created_at, inference_time_ms, success, prediction_result,
                proba_cat, proba_dog, rgpd_consent, filename, user_feedback, user_comment, feedback_at, error_type,
                consent_id)
            SELECT {_ID_COLUMN}, moment, stored, inference_time_ms, complete,
                CASE WHEN NOT complete THEN 'error' WHEN answer IN ('cat', 'dog') THEN answer
                    WHEN proba_cat >= 0.5 THEN 'cat' ELSE 'dog' END,
                CASE WHEN complete THEN proba_cat END, CASE WHEN complete THEN 1 - proba_cat END,
                agreed, filename, user_feedback, user_comment,
                CASE WHEN user_feedback IS NOT NULL OR user_comment IS NOT NULL THEN moment END,
                CASE WHEN NOT complete THEN CASE WHEN success THEN 'LegacyIncomplete' ELSE 'LegacyError' END END,
                CASE WHEN filename IS NOT NULL OR user_comment IS NOT NULL THEN {_ID_COLUMN} END
            FROM v2_normalised"""
        )
    )


def _check_number_of_rows(connection: sa.Connection, name: str) -> None:
    had = connection.scalar(sa.text(f'SELECT count(*) FROM "{name}_v2"'))
    taken = connection.scalar(
        sa.text(f'SELECT count(*) FROM "{name}" JOIN "{name}_v2" v2 ON v2.{_ID_COLUMN} = "{name}".id')
    )
    if had != taken:
        raise DatabaseError(
            "The table of V2 has {had} rows, of which {taken} could be taken over. Nothing was changed.",
            had=had,
            taken=taken,
        )


def _remove_personal_data(connection: sa.Connection, name: str) -> None:
    for column in set(_PERSONAL) & set(_columns(connection, f"{name}_v2")):
        nullable = f'ALTER TABLE "{name}_v2" ALTER COLUMN {column} DROP NOT NULL'
        connection.execute(sa.text(nullable))
        connection.execute(sa.text(f'UPDATE "{name}_v2" SET {column} = NULL WHERE {column} IS NOT NULL'))


class _V2Columns:
    """SQL expressions that read V2's columns, whether or not they exist."""

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def text(self, column: str) -> str:
        return f'v2."{column}"::text' if column in self._names else "NULL::text"

    def number(self, column: str) -> str:
        """Return SQL for a number from 0, also if the text has a percent sign, such as 97.12%.

        One with so many digits that it is too large or too small for a double is none.
        """
        text = self.text(column)
        pattern = r"^\s*[0-9]{1,20}(\.[0-9]{0,30})?([eE](\+?[0-9]{1,2}|-[0-9]{1,2}|-[12][0-9]{2}))?\s*%?\s*$"
        return f"CASE WHEN {text} ~ '{pattern}' THEN rtrim({text}, ' %')::double precision END"

    def boolean(self, column: str) -> str:
        return f"coalesce(lower({self.text(column)}) IN ('true', 't', 'yes', '1', '1.0'), false)"

    def moment(self, column: str) -> str:
        if column not in self._names:
            return "NULL::timestamptz"
        # The session is in UTC, so that a time without a zone is read as UTC.
        at = f'v2."{column}"::timestamptz'
        return f"CASE WHEN {at} >= '{EARLIEST}' AND {at} < '{LATEST}' THEN {at} END"


def _create_normalised_copy(connection: sa.Connection, name: str) -> None:
    """Read V2's table, whatever the types of its columns, into the temporary table ``v2_normalised``.

    Every value is read as text, because V2 did not prescribe the types of the columns.
    """
    v2 = _V2Columns(_columns(connection, f"{name}_v2"))
    connection.execute(
        sa.text(
            f"""CREATE TEMPORARY TABLE v2_normalised AS
            WITH raw AS (
                SELECT v2.ctid AS place,
                    coalesce({v2.moment("timestamp")}, {v2.moment("created_at")}, now()) AS moment,
                    coalesce({v2.moment("created_at")}, {v2.moment("timestamp")}, now()) AS stored,
                    {v2.number("inference_time_ms")} AS milliseconds,
                    {v2.boolean("success")} AS success,
                    lower(btrim({v2.text("prediction_result")})) AS answer,
                    {v2.number("proba_cat")} AS cat,
                    {v2.number("proba_dog")} AS dog,
                    {v2.boolean("rgpd_consent")} AS agreed,
                    {v2.text("filename")} AS filename,
                    lower({v2.text("user_feedback")}) AS feedback,
                    {v2.text("user_comment")} AS comment
                FROM "{name}_v2" v2
            ), scale AS (  -- of single probabilities: what most rows have, as one wrong row must not change the others
                SELECT CASE WHEN avg((greatest(cat, dog) > 1.5)::int) > 0.5 THEN 100 ELSE 1 END AS usual FROM raw
            ), shares AS (
                SELECT raw.*,
                    CASE WHEN milliseconds <= {MAX_INFERENCE_MS} THEN milliseconds END AS inference_time_ms,
                    CASE
                        WHEN cat + dog > 0 AND greatest(cat, dog) <= 100.1
                            AND (cat + dog > 1.5 OR greatest(cat, dog) <= 1.001) THEN cat / (cat + dog)
                        WHEN dog IS NULL AND cat <= usual THEN cat / usual
                        WHEN cat IS NULL AND dog <= usual THEN 1 - dog / usual
                    END AS proba_cat
                FROM raw, scale
            )
            SELECT place, moment, stored, inference_time_ms, success, answer, proba_cat, agreed,
                success AND proba_cat IS NOT NULL AND inference_time_ms IS NOT NULL AS complete,
                CASE WHEN agreed THEN nullif(left(regexp_replace(filename, '^.*[/\\\\]', ''), 255), '') END AS filename,
                CASE WHEN feedback IN ('1', '1.0', 'true') THEN 1 WHEN feedback IN ('0', '0.0', 'false') THEN 0
                    END AS user_feedback,
                CASE WHEN agreed AND btrim(comment, E' \\t\\n\\r') <> '' THEN left(btrim(comment, E' \\t\\n\\r'), 1000)
                    END AS user_comment,
                encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
                    placing substring(int8send(floor(extract(epoch FROM moment) * 1000)::bigint) FROM 3)
                    FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid AS {_ID_COLUMN}
            FROM shares"""
        )
    )


def _columns(connection: sa.Connection, table: str) -> list[str]:
    return [column["name"] for column in sa.inspect(connection).get_columns(table)]


def _is_uuid(connection: sa.Connection, table: str) -> bool:
    types = {column["name"]: column["type"] for column in sa.inspect(connection).get_columns(table)}
    return isinstance(types["id"], sa.Uuid)


def _has_v2(connection: sa.Connection, name: str) -> bool:
    return sa.inspect(connection).has_table(f"{name}_v2") and _ID_COLUMN in _columns(connection, f"{name}_v2")


def _rename_indexes(connection: sa.Connection, table: str, new_name: str) -> None:
    """Rename the indexes of a table, its primary key's included."""
    query = sa.text(
        f"""SELECT index_name, {new_name} FROM (SELECT relname::text AS index_name FROM pg_index
        JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = to_regclass(:table)) AS indexes"""
    )
    for old, new in connection.execute(query, {"table": f'"{table}"'}).all():
        connection.execute(sa.text(f'ALTER INDEX "{old}" RENAME TO "{new}"'))
