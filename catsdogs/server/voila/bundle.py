"""Voilà's front end in one file: pages ask for it at once, and it comes while the kernel runs the notebook.

Voilà's pages load it as a hundred files, two thirds of which they learn of only when the kernel has run the notebook.
They are chunks of webpack: each hands its modules to a list that the entry reads when it starts, and asks for nothing
that is in there. So they may as well come together, before it. What is missing here is loaded as ever.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from jupyter_core.paths import jupyter_path
from tornado.web import HTTPError

from catsdogs.server.base_handler import BaseHandler

EXTENSIONS = {
    "@voila-dashboards/widgets-manager8": "496 883",
    "@jupyter-widgets/jupyterlab-manager": "7 32 84 121 160 170 452 704 718 967",
    "anywidget": "2 528",
}
"""The extensions that our pages need, with chunks. Each page would load all that are installed: plotly's has 5 MB."""
LATER = "225 614 1996 2121 2296 2772 2829 4371 4486 4875 5992 6074 6305 7245 7259 7393"
"""Chunks that these extensions ask Voilà's for. A test says when any of these numbers change."""

PATIENCE = b"Date.now()-o<2e3", b"Date.now()-o<6e4"
"""How long Jupyter's widget manager looks for a model, and how long ours does: a browser that was busy for two seconds
with reading the models, some MB, gave up without another look, and "model not found" was all that the page showed."""


@cache
def chunks() -> list[Path]:
    """List the files that are put together."""
    entry = _find("voila/templates/base/static", "voila.js")
    first = re.findall(r"\.e\((\d+)\)", entry[0].read_text(encoding="utf-8")) if entry else []
    wanted = [("voila/templates/base/static", f"{number}.voila.js") for number in [*first, *LATER.split()]]
    for name, numbers in EXTENSIONS.items():
        for root in ("voila/labextensions", "labextensions"):
            wanted += [(f"{root}/{name}/static", f"{number}.*.js") for number in numbers.split()]
    return list(dict.fromkeys(path for place in wanted for path in _find(*place)))


def _find(folder: str, name: str) -> list[Path]:
    """Find files in the first of Jupyter's data folders that has them."""
    return next(filter(None, (sorted(Path(root).glob(name)) for root in jupyter_path(*folder.split("/")))), [])


@cache
def bundle() -> bytes:
    """Put them together, each in a scope of its own."""
    return b"\n".join(b"(()=>{" + path.read_bytes().replace(*PATIENCE) + b"\n})();" for path in chunks())


@cache
def bundle_url() -> str:
    """Say where it is served: elsewhere when it changes, so that browsers may keep it."""
    return f"/bundle/{hashlib.sha256(bundle()).hexdigest()[:16]}.js"


class BundleHandler(BaseHandler):
    """``/bundle/VERSION.js``."""

    def get(self, version: str) -> None:
        """Send it."""
        if bundle_url() != f"/bundle/{version}.js":
            raise HTTPError(404)
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.finish(bundle())
