"""What a kernel of the prediction app needs, whoever visits: kernels that wait for a visitor import this."""

from __future__ import annotations

import catsdogs.service.remote
import catsdogs.widgets.predict_app  # noqa: F401
from catsdogs.i18n import LANGUAGES, Translator

for _language in LANGUAGES:  # reads its catalogue and its formats, which are kept
    Translator(_language).percent(0)
