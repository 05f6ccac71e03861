"""What can be said of an image by counting its pixels."""

from collections import Counter
from collections.abc import Callable, Iterable

from model_interface import Image, Pixel

_COLOURS: dict[str, Pixel] = {
    "black": (0, 0, 0),
    "grey": (128, 128, 128),
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "cyan": (0, 255, 255),
    "magenta": (255, 0, 255),
}


def size(image: Image) -> str:
    """How large it is."""
    return f"The image is {image.width} pixels wide and {image.height} high."


def colour(image: Image) -> str:
    """The colour that most pixels are nearest to."""
    # Counted in the order of `_COLOURS` where two are equally frequent, whatever the image's order.
    counts = Counter(map(_nearest, image.pixels()))
    name = max(_COLOURS, key=lambda colour: counts[colour])
    return f"It is mostly {name} ({round(100 * counts[name] / counts.total())}% of it)."


def brightness(image: Image) -> str:
    """Which half is the brighter one."""
    if image.height < 2:
        return "It is too flat to have halves."
    # The middle row of an odd number belongs to neither half.
    half = image.height // 2
    top = _luminance(pixel for row in image.rows[:half] for pixel in row)
    bottom = _luminance(pixel for row in image.rows[-half:] for pixel in row)
    if top == bottom:
        return "Its halves are equally bright."
    return f"Its {'upper' if top > bottom else 'lower'} half is the brighter one."


FACTS: tuple[tuple[tuple[str, ...], Callable[[Image], str]], ...] = (
    (("size", "large", "wide", "high"), size),
    (("colour", "color"), colour),
    (("bright", "light", "dark"), brightness),
)
"""The facts, each with the words of a prompt that ask for it."""


def _nearest(pixel: Pixel) -> str:
    def distance(name: str) -> int:
        return sum((a - b) ** 2 for a, b in zip(pixel, _COLOURS[name]))

    return min(_COLOURS, key=distance)


def _luminance(pixels: Iterable[Pixel]) -> int:
    """The sum of the pixels' luminance (Rec. 709), in whole ten-thousandths so that equal is exact."""
    return sum(2126 * red + 7152 * green + 722 * blue for red, green, blue in pixels)
