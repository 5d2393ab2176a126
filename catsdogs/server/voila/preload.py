"""What a page shows of its app before the kernel is there: parts to be used, drawn by the widgets' own scripts."""

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
from catsdogs.widgets.upload_texts import MAX_UPLOAD_BYTES, PHOTO_SCRIPTS, app_title, header_texts, photo_texts


@cache
def files() -> dict[str, str]:
    """Give the scripts and the style sheet, by name."""
    return {
        "preload.js": (STATIC / "preload.js").read_text(encoding="utf-8"),
        "page_header.js": script("page_header"),
        "photo_input.js": script(*PHOTO_SCRIPTS),
        "preload.css": style("page_header", "photo_input"),
    }


@cache
def folder() -> str:
    """Name the folder that they are served from: another when one of them changes, so that browsers may keep them."""
    return f"/preload/{hashlib.sha256(''.join(files().values()).encode()).hexdigest()[:16]}/"


def states(_: Translator) -> dict[str, dict[str, Any]]:
    """Say what each part begins with, named as its widget names it."""
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
            "max_bytes": MAX_UPLOAD_BYTES,
            "samples": samples,
            "answer_kinds": {},
            "explanation": {},
        },
    }


class PreloadHandler(BaseHandler):
    """``/preload/VERSION/NAME``."""

    def get(self, path: str) -> None:
        """Send one of the files."""
        here, _, name = path.rpartition("/")
        if f"/preload/{here}/" != folder() or name not in files():
            raise HTTPError(404)
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.finish(files()[name])
