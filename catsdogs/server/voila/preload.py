"""Parts of an app that its page draws before the kernel is ready, with the widgets' own scripts, and that work already.

The scripts of two widgets and the state that these widgets begin with are sent with the page. When the kernel's own
widgets arrive, they take over what was drawn, and what the visitor did in the meantime.
"""

from __future__ import annotations

from typing import Any

from catsdogs.i18n import LANGUAGES, Translator
from catsdogs.samples import SAMPLES
from catsdogs.server.static_files import sample_urls
from catsdogs.widgets.upload_texts import PHOTO_LIMITS, app_title, header_texts, photo_texts


def initial_states(_: Translator, prefix: str) -> dict[str, dict[str, Any]]:
    """Return the first state of each part, by the names of its widget's traits.

    Parameters
    ----------
    prefix
        Prefix of the server's addresses.
    """
    samples = [
        {
            "name": sample.name,
            "title": _(sample.title),
            "credit": _(sample.credit),
            **{kind: prefix + path for kind, path in sample_urls(sample.name).items()},
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
            "saved_photos": {},
            "explanation": {},
        },
    }
