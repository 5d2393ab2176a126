"""``catsdogs data``: photos to train on, for whoever has none."""

from __future__ import annotations

from dataclasses import replace

import typer

from catsdogs.cli.app import app
from catsdogs.settings import Settings

data = typer.Typer(help="Photos to train on.", no_args_is_help=True)
app.add_typer(data, name="data")


@data.command()
def fetch(
    url: str | None = typer.Option(None, help="Where else the same archive is; its checksum must be right."),
) -> None:
    """Fetch Microsoft's 25,000 photos of cats and dogs (787 MB) into the data folder, and unzip them.

    For research and education; the photos remain their owners'. What is there is not fetched again, and a download
    that broke off goes on where it was. Then: catsdogs train FOLDER
    """
    from catsdogs.cli.progress import shown
    from catsdogs.training.download import PETIMAGES
    from catsdogs.training.download import fetch as run

    with shown() as show:
        photos = run(Settings.load().data_dir, replace(PETIMAGES, url=url) if url else PETIMAGES, show)
    print(photos)
