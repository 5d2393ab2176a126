"""The classes of domestic cats and dogs."""

from __future__ import annotations

from catsdogs.training.imagenet import CATS, DOGS


def test_the_pet_classes_are_domestic() -> None:
    wolf, fox, tabby, lynx, lion, chihuahua, african_hunting_dog = 269, 277, 281, 287, 291, 151, 275
    egyptian_cat = 285
    assert {tabby, egyptian_cat} <= set(CATS)
    assert {chihuahua, 268} <= set(DOGS)
    assert not {wolf, fox, lynx, lion, african_hunting_dog} & {*CATS, *DOGS}
