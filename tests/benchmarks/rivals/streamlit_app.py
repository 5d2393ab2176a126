"""The prediction app in Streamlit."""

from __future__ import annotations

import streamlit as st

from catsdogs.model.card import SHIPPED
from catsdogs.model.classifier import Classifier


@st.cache_resource
def classifier() -> Classifier:
    return Classifier.open(SHIPPED)


st.set_page_config(page_title="Cat or dog?", layout="wide")
st.title("Cat or dog?")
left, right = st.columns(2)
with left:
    photo = st.file_uploader("Photo", type=["jpg", "jpeg", "png", "webp"])
    if photo:
        st.image(photo)
with right:
    if photo:
        prediction, _ = classifier().classify(photo.getvalue())
        st.subheader(str(prediction.answer))
        st.progress(prediction.proba_cat, "cat")
        st.progress(prediction.proba_dog, "dog")
        st.radio("Is that right?", ["Yes", "No"], index=None)
        st.text_area("Anything to add?")
    st.checkbox("Keep the file's name and my comment")
    st.checkbox("Keep my photo")
