"""Plots of a trained model, as Plotly figures."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from PIL import Image
from sklearn.metrics import roc_curve

from catsdogs.domain import Answer
from catsdogs.errors import InvalidImage
from catsdogs.i18n import Translator
from catsdogs.model import preprocessing
from catsdogs.model.evaluation import LABELS, auroc
from catsdogs.model.evaluation import reliability as bins
from catsdogs.monitoring.chart_style import add_placeholder, figure, plain
from catsdogs.palette import BAD, DOG, NEITHER
from catsdogs.stats import wilson_interval
from catsdogs.training.head import LearningPoint
from catsdogs.training.labelled_predictions import LabelledPredictions

WORST = 12
"""Largest number of mistakes that are shown."""
_COLUMNS = 4
_THUMBNAIL = 160
_ENGLISH = Translator("en")  # the notebook's language
_CHANCE = {"mode": "lines", "line": {"color": NEITHER, "dash": "dot", "width": 1}, "hoverinfo": "skip"}


def roc(predictions: LabelledPredictions) -> go.Figure:
    """Draw the receiver operating characteristic of dogs against cats."""
    fig = figure("Dogs found, against cats taken for dogs (ROC)", _ENGLISH)
    is_dog, proba_dog = predictions.is_dog[predictions.is_pet], predictions.proba_dog[predictions.is_pet]
    if not 0 < is_dog.sum() < len(is_dog):
        return add_placeholder(fig, "There are not both animals among these photos.")
    taken, found, thresholds = roc_curve(is_dog, proba_dog)
    fig.add_scatter(
        x=taken,
        y=found,
        customdata=[
            [_ENGLISH.percent(dogs, 2), _ENGLISH.percent(cats, 2), min(threshold, 1)]
            for dogs, cats, threshold in zip(found, taken, thresholds, strict=True)
        ],
        name=f"this model: area {auroc(is_dog, proba_dog):.4f}",
        line={"color": DOG, "width": 2, "shape": "hv"},
        hovertemplate="%{customdata[0]} of dogs found, %{customdata[1]} of cats taken for one<br>"
        "from a probability of %{customdata[2]:.3f}<extra></extra>",
    )
    fig.add_scatter(x=[0, 1], y=[0, 1], name="chance", **_CHANCE)
    fig.update_xaxes(title_text="cats taken for dogs", range=[-0.02, 1.02], tickformat=".0%")
    fig.update_yaxes(title_text="dogs found", range=[-0.02, 1.02], tickformat=".0%")
    return fig


def reliability(predictions: LabelledPredictions) -> go.Figure:
    """Draw the share of right choices against their confidence, with 95 % Wilson intervals."""
    fig = figure("Share of right answers, by confidence (reliability)", _ENGLISH)
    table = bins(predictions.is_dog[predictions.is_pet], predictions.proba_dog[predictions.is_pet])
    if not table:
        return add_placeholder(fig, "There are no pets among these photos.")
    confidence, right, n = (np.array(column) for column in zip(*table, strict=True))
    ends = np.array([wilson_interval(round(share * count), int(count)) for share, count in zip(right, n, strict=True)])
    fig.add_scatter(
        x=confidence,
        y=right,
        customdata=[[_ENGLISH.percent(share), count, _ENGLISH.probability(mean)] for mean, share, count in table],
        name="this model",
        mode="markers+lines",
        marker={"color": DOG, "size": 8},
        line={"width": 1},
        error_y={"symmetric": False, "array": ends[:, 1] - right, "arrayminus": right - ends[:, 0], "width": 3},
        hovertemplate="%{customdata[0]} of %{customdata[1]:,} photos right, at a confidence of %{customdata[2]}"
        "<extra></extra>",
    )
    fig.add_scatter(x=[0.5, 1], y=[0.5, 1], name="perfect calibration", **_CHANCE)
    fig.update_xaxes(title_text="confidence", range=[0.48, 1.02], tickformat=".0%")
    fig.update_yaxes(title_text="right", range=[-0.02, 1.02], tickformat=".0%")
    return fig


def confusion(predictions: LabelledPredictions) -> go.Figure:
    """Draw the confusion matrix: numbers of photos by label and answer."""
    fig = figure("Labels and answers (confusion matrix)", _ENGLISH)
    labels = [label for label in LABELS if label in predictions.labels]
    pairs = list(zip(predictions.labels, predictions.answers, strict=True))
    counts = [[pairs.count((label, answer)) for answer in LABELS] for label in labels]
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    fig.add_heatmap(
        x=[str(answer) for answer in LABELS],
        y=[str(label) for label in labels],
        z=shares,
        text=counts,
        customdata=[[_ENGLISH.percent(share, 2) for share in row] for row in shares],
        texttemplate="%{text:,}",
        colorscale=[[0, "rgba(0,114,178,0.05)"], [1, DOG]],
        zmin=0,
        zmax=1,
        showscale=False,
        hovertemplate="%{y}, answered %{x}: %{text:,} photos (%{customdata})<extra></extra>",
    )
    fig.update_xaxes(title_text="answer")
    fig.update_yaxes(title_text="photo", autorange="reversed")
    return fig


def learning_curve(points: Sequence[LearningPoint]) -> go.Figure:
    """Draw the error rate on held-out photos against the number of training photos."""
    fig = figure("Would more photos help?", _ENGLISH)
    ends = np.array([wilson_interval(point.errors, point.held_out) for point in points])
    share = np.array([point.errors / point.held_out for point in points])
    fig.add_scatter(
        x=[point.n for point in points],
        y=share,
        customdata=[[point.errors, point.held_out, point.log_loss] for point in points],
        name="errors on held-out photos",
        mode="markers+lines",
        marker={"color": BAD, "size": 8},
        line={"width": 1},
        error_y={"symmetric": False, "array": ends[:, 1] - share, "arrayminus": share - ends[:, 0], "width": 3},
        hovertemplate="after %{x:,} photos, errors: %{customdata[0]} of %{customdata[1]:,}, "
        "log-loss %{customdata[2]:.4f}<extra></extra>",
    )
    fig.update_xaxes(title_text="training photos", type="log", tickvals=[point.n for point in points])
    fig.update_yaxes(title_text="errors", tickformat=".1%", rangemode="tozero")
    return fig


def worst_mistakes(predictions: LabelledPredictions) -> go.Figure:
    """Show the wrong answers with the smallest probability of the right one, with their photos."""
    fig = figure("The worst mistakes", _ENGLISH)
    right = np.where(predictions.is_dog, predictions.proba_dog, 1 - predictions.proba_dog)
    right = np.where(predictions.is_pet, right, predictions.neither_score)
    chosen = [index for index in np.argsort(right, kind="stable")[:WORST] if right[index] < 0.5]
    if not chosen:
        return add_placeholder(fig, "There are none among these photos.")
    rows = -(-len(chosen) // _COLUMNS)
    for order, index in enumerate(chosen):
        column, row = order % _COLUMNS, order // _COLUMNS
        path, label, answer = predictions.paths[index], predictions.labels[index], _animal(predictions.proba_dog[index])
        sure = _ENGLISH.probability(max(predictions.proba_dog[index], 1 - predictions.proba_dog[index]))
        source = _thumbnail(predictions, index)
        if source:
            fig.add_layout_image(
                source=source, x=column, y=row, sizex=0.92, sizey=0.8, xref="x", yref="y", sizing="contain"
            )
        fig.add_annotation(
            text=f"<b>{answer}</b>, {sure} sure; is {label}<br>{plain(path.name, width=24, most=24)}",
            x=column,
            y=row + 0.8,
            xref="x",
            yref="y",
            showarrow=False,
            xanchor="left",
            yanchor="top",
            align="left",
            font_size=11,
        )
    fig.update_xaxes(visible=False, range=[0, _COLUMNS])
    fig.update_yaxes(visible=False, range=[rows + 0.1, 0])
    return fig.update_layout(height=80 + 220 * rows)


def _animal(proba_dog: float) -> Answer:
    return Answer.DOG if proba_dog >= 0.5 else Answer.CAT


def _thumbnail(predictions: LabelledPredictions, index: int) -> str | None:
    """Return the photo's centred square as a data URL; ``None`` if the file was deleted."""
    try:
        photo = preprocessing.decode(preprocessing.read_file(predictions.paths[index]), _THUMBNAIL)
    except InvalidImage:
        return None
    stream = io.BytesIO()
    Image.fromarray(preprocessing.square(photo, _THUMBNAIL)).save(stream, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
