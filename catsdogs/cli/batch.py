"""``catsdogs predict --out``: predictions for a whole folder, as a Parquet table."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from catsdogs.cli.progress import progress_bars
from catsdogs.errors import InvalidInput, SettingsError
from catsdogs.extras import install_command
from catsdogs.i18n import counted
from catsdogs.settings import Settings


def write_table(photos: list[Path], out: Path | None, scheduler: str | None, as_json: bool) -> bool:
    """Classify the photos of a folder, on this machine or on a Dask cluster, and print a summary.

    Returns
    -------
    bool
        Whether every file could be read.

    Raises
    ------
    InvalidInput
        There is not exactly one folder, or no path for the table.
    SettingsError
        Packages are missing.
    ModelError
        The model fails.
    ServiceError
        The cluster fails.
    """
    if len(photos) != 1 or out is None:
        raise InvalidInput("Give one folder of photos, and the path of the table with --out.")
    try:
        from catsdogs.batch.run import run_locally, score_folder

        if scheduler:
            from catsdogs.batch.dask_runner import on_cluster

            if not logging.getLogger().isEnabledFor(logging.DEBUG):  # our own message is enough, without a traceback
                logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    except ImportError as error:
        raise SettingsError(
            "A table needs more packages. Run: {command}", command=install_command("cluster")
        ) from error
    with progress_bars(is_resumed=True) as update:
        result = score_folder(
            photos[0],
            out,
            Settings.load(),
            on_cluster(scheduler) if scheduler else run_locally,
            lambda done, total: update("answering", done, total),
        )
    if as_json:
        figures = {"photos": result.photos, "errors": result.errors, "model_version": result.model_version}
        print(json.dumps({"out": str(out)} | figures))
    else:
        print(f"{out}: {counted(result.photos, 'file')}, {result.errors} not read, model {result.model_version}")
    return not result.errors
