"""Imports and reads what every kernel of the prediction app needs, once for all that are forked from this process."""

from __future__ import annotations

import catsdogs.service.remote
import catsdogs.widgets.predict_app  # noqa: F401
from catsdogs.i18n import LANGUAGES, Translator

for _language in LANGUAGES:  # fills the caches of catalogues and number formats
    Translator(_language).percent(0)
