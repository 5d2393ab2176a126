"""One JavaScript file in place of the hundred that Voilà's pages load, two thirds of them after the notebook has run.

The files are webpack chunks: each appends its modules to a list that the entry script, ``voila.js``, reads when it
starts, and the entry script loads no chunk whose modules are in that list. So all chunks can be sent in one file before
it, while the kernel runs the notebook. A chunk that is missing in the bundle is loaded as usual.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jupyter_core.paths import jupyter_path

from catsdogs.server.static_files import Asset, script_asset
from catsdogs.server.voila.patches import EXTENSION_CHUNKS, entry_chunks, extend_timeouts, leave_out_mathjax

_VOILA_SCRIPTS = "voila/templates/base/static"


@cache
def chunks() -> list[Path]:
    """List the files of the bundle."""
    entry = _find(_VOILA_SCRIPTS, "voila.js")
    numbers = entry_chunks(entry[0].read_text(encoding="utf-8")) if entry else []
    patterns = [(_VOILA_SCRIPTS, f"{number}.voila.js") for number in numbers]
    for extension, extension_numbers in EXTENSION_CHUNKS.items():
        for root in ("voila/labextensions", "labextensions"):
            patterns += [(f"{root}/{extension}/static", f"{number}.*.js") for number in extension_numbers.split()]
    return list(dict.fromkeys(path for pattern in patterns for path in _find(*pattern)))


def _find(folder: str, pattern: str) -> list[Path]:
    """Find files in the first of Jupyter's data folders that has them."""
    return next(filter(None, (sorted(Path(root).glob(pattern)) for root in jupyter_path(*folder.split("/")))), [])


@cache
def bundle() -> Asset:
    """Return the chunks as one script, each in a scope of its own."""
    scripts = (leave_out_mathjax(extend_timeouts(path.read_bytes())) for path in chunks())
    return script_asset(b"\n".join(b"(()=>{" + script + b"\n})();" for script in scripts))
