"""``catsdogs predict --out``: answers for a whole folder, as a Parquet table."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from catsdogs.cli.progress import shown
from catsdogs.errors import InvalidInput, SettingsError
from catsdogs.settings import Settings


def write_table(photos: list[Path], out: Path | None, scheduler: str | None, as_json: bool) -> bool:
    """Answer the photos of a folder, here or on a Dask cluster, and say what came of it.

    Returns
    -------
    bool
        Whether every file was answered.

    Raises
    ------
    InvalidInput
        There is not one folder, or no place for the table.
    SettingsError
        Packages are missing.
    ModelError, ServiceError
    """
    if len(photos) != 1 or out is None:
        raise InvalidInput("Give one folder of photos, and with --out a place for the table.")
    try:
        from catsdogs.batch.run import here, score

        if scheduler:
            from catsdogs.batch.dask_runner import on

            if not logging.getLogger().isEnabledFor(logging.DEBUG):  # our sentence says it without a traceback
                logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    except ImportError as error:
        raise SettingsError("A table needs more packages. Run: pip install 'catsdogs[cluster]'") from error
    with shown() as show:
        scored = score(
            photos[0],
            out,
            Settings.load(),
            on(scheduler) if scheduler else here,
            lambda done, of: show("answering", done, of),
        )
    if as_json:
        figures = {"photos": scored.photos, "errors": scored.errors, "model_version": scored.model_version}
        print(json.dumps({"out": str(out)} | figures))
    else:
        print(f"{out}: {scored.photos} files, {scored.errors} not read, model {scored.model_version}")
    return not scored.errors
