"""Texts that every training writes on the model card: in English there, translated on the page of the card."""

from __future__ import annotations

from catsdogs.i18n import N_

ARCHITECTURES = {
    "lite0": N_(
        "EfficientNet-Lite0 (frozen, ImageNet weights, int8-quantized), average pooling of its last two wide layers, "
        "logistic regression on them and on the log-odds of ImageNet's classifier; a gate for photos of neither; "
        "a class-activation map; all in one graph"
    ),
    "lite2": N_(
        "EfficientNet-Lite2 (frozen, ImageNet weights, int8-quantized), average pooling of its last two wide layers, "
        "logistic regression on them and on the log-odds of ImageNet's classifier; a gate for photos of neither; "
        "a class-activation map; all in one graph"
    ),
}
"""What a network is made of, by the name of its backbone."""
ARCHITECTURE_1_2 = N_(
    "EfficientNet-Lite0 (frozen, ImageNet weights, in whole numbers of 8 bits), average pooling of its last two wide "
    "layers, logistic regression on them and on what ImageNet's classifier says of cats and dogs; a gate for photos of "
    "neither; a class-activation map; all in one graph"
)
"""The same on the cards of models up to version 1.2."""
INTENDED_USE = N_(
    "Saying of a photo of one household pet whether it shows a cat or a dog, for fun and for teaching, with a person "
    "who can say that the answer is wrong. Not for decisions about people or animals."
)
LIMITS = [
    N_(
        "It looks at the largest centred square of the photo, and at the rest only where that square shows neither: a "
        "second animal at the edge is not noticed, and a small one may be missed."
    ),
    N_("A photo with a cat and a dog gets one answer; most such photos are noticed, and said to seem to show both."),
    N_("Wild cats, wolves, foxes and other furry animals may be taken for pets; drawings and toys, too."),
    N_("It was trained on photos that people took of their pets; what differs from them is less sure."),
]
CENTRE_ONLY = N_("It looks at the largest centred square of the photo: an animal at the edge is not seen.")
"""A limit on the cards of models that were trained before the rest of a photo was looked at; it no longer holds."""
