"""The prediction app in Gradio."""

from __future__ import annotations

import io
import sys

import gradio as gr
from PIL import Image

from catsdogs.model.card import SHIPPED
from catsdogs.model.classifier import Classifier

classifier = Classifier.open(SHIPPED)


def classify(photo: Image.Image) -> dict[str, float]:
    stream = io.BytesIO()
    photo.convert("RGB").save(stream, "JPEG", quality=95)
    prediction, _ = classifier.classify(stream.getvalue())
    return {"cat": prediction.proba_cat, "dog": prediction.proba_dog}


def remember(rating: str, comment: str) -> str:
    return f"Thank you! {rating} {comment}"


with gr.Blocks(title="Cat or dog?") as app:
    gr.Markdown("# Cat or dog?")
    with gr.Row():
        photo = gr.Image(type="pil", label="Photo")
        with gr.Column():
            answer = gr.Label(label="Answer")
            rating = gr.Radio(["Yes", "No"], label="Is that right?")
            comment = gr.Textbox(label="Anything to add?")
            thanks = gr.Markdown()
            gr.CheckboxGroup(["Keep the file's name and my comment", "Keep my photo"], label="Would you like to help?")
    photo.change(classify, photo, answer)
    rating.change(remember, [rating, comment], thanks)

app.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True)
