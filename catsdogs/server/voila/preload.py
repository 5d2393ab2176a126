"""Parts of an app that its page draws before the kernel is ready, with the widgets' own scripts, and that work already.

The scripts of two widgets, a style sheet and the state that these widgets begin with are sent with the page. When the
kernel's own widgets arrive, they take over what was drawn, and what the visitor did in the meantime.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from tornado.web import HTTPError

from catsdogs.i18n import LANGUAGES, Translator
from catsdogs.samples import SAMPLES
from catsdogs.server.base_handler import BaseHandler
from catsdogs.server.pages import STATIC
from catsdogs.widgets.assets import script, style
from catsdogs.widgets.upload_texts import PHOTO_LIMITS, PHOTO_SCRIPTS, app_title, header_texts, photo_texts


@cache
def assets() -> dict[str, str]:
    """Return the scripts and the style sheet, by file name."""
    return {
        "preload.js": (STATIC / "preload.js").read_text(encoding="utf-8"),
        "page_header.js": script("page_header"),
        "photo_input.js": script(*PHOTO_SCRIPTS),
        "preload.css": style("page_header", "photo_input"),
    }


@cache
def base_url() -> str:
    """Return the path they are served from, which holds a hash of their content, so that browsers may cache them."""
    return f"/preload/{hashlib.sha256(''.join(assets().values()).encode()).hexdigest()[:16]}/"


def initial_states(_: Translator) -> dict[str, dict[str, Any]]:
    """Return the first state of each part, by the names of its widget's traits."""
    samples = [
        {
            "name": sample.name,
            "title": _(sample.title),
            "credit": _(sample.credit),
            "address": f"/samples/{sample.name}.jpg",
        }
        for sample in SAMPLES
    ]
    return {
        "page_header": {"texts": header_texts(_, *app_title(_)), "language": _.language, "languages": LANGUAGES},
        "photo_input": {
            "texts": photo_texts(_),
            "language": _.language,
            "limits": PHOTO_LIMITS,
            "samples": samples,
            "answer_kinds": {},
            "explanation": {},
        },
    }


class PreloadHandler(BaseHandler):
    """``GET /preload/HASH/NAME``."""

    def get(self, path: str) -> None:
        """Send one of the files."""
        content_hash, _, name = path.rpartition("/")
        if f"/preload/{content_hash}/" != base_url() or name not in assets():
            raise HTTPError(404)
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.finish(assets()[name])
