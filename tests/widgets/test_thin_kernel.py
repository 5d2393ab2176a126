import subprocess
import sys

HEAVY = "numpy pandas pydantic PIL onnxruntime sqlalchemy psycopg2 alembic plotly matplotlib tensorflow keras"


def test_a_kernel_of_the_prediction_app_imports_no_heavy_package() -> None:
    """The code is that of `notebooks/apps/predict.ipynb`, with a server that answers over HTTP."""
    script = f"""
import sys
from catsdogs import connect
from catsdogs.widgets.predict_app import PredictApp
app = PredictApp(connect)
assert type(app.service).__name__ == "Remote"
print(*(name for name in "{HEAVY}".split() if name in sys.modules))
"""
    environment = {"CATSDOGS_SERVICE_URL": "http://127.0.0.1:1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("", "")
