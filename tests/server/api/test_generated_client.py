"""A client that openapi-python-client makes from the description works with the running server."""

from __future__ import annotations

import importlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from catsdogs.server.api.openapi import description
from tests.serving import RunningServer

PACKAGE = "generated_catsdogs_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Generate the client, and return a function that imports one of its modules."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(json.dumps(description()))
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json", "--meta", "none"]
    command += ["--output-path", PACKAGE, "--fail-on-warning"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # it calls ruff
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield lambda name="": importlib.import_module(f"{PACKAGE}{name}")
    sys.path.remove(str(folder))


def test_a_generated_client_does_what_a_program_does(generated: Any, server: RunningServer, cat_jpeg: bytes) -> None:
    client = generated().AuthenticatedClient(
        base_url=server.url, token=server.api_token, raise_on_unexpected_status=True
    )
    models, file = generated(".models"), generated(".types").File

    def send(route: str, **arguments: Any) -> Any:
        return generated(f".api.{route}").sync(client=client, **arguments)

    photo = file(payload=io.BytesIO(cat_jpeg), file_name="cat.jpg", mime_type="image/jpeg")
    made = send("predictions.predict", body=models.PredictFields(file=photo, rgpd_consent=True))
    assert made.prediction.value == "Cat"
    for name in ("FeedbackFields", "FeedbackFieldsMultipart"):
        rating = getattr(models, f"{name}UserFeedback")(1)
        fields = getattr(models, name)(
            feedback_id=made.feedback_id, user_feedback=rating, user_comment="Oui, à coup sûr."
        )
        assert send("predictions.update_feedback", body=fields).stored is True
    held = send("privacy.privacy_export", body=models.ReceiptFields(receipt=made.receipt))
    assert held.predictions[0].user_comment == "Oui, à coup sûr."
    assert send("monitoring.statistics").total_predictions >= 1
    assert send("monitoring.recent_predictions", limit=1).count == 1
    assert send("service.health").model_loaded is True
    assert send("privacy.privacy_erase", body=models.ReceiptFieldsMultipart(receipt=made.receipt)).predictions
    refused = send("privacy.privacy_export", body=models.ReceiptFields(receipt=made.receipt))
    assert refused.detail.endswith(".")
