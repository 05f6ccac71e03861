"""Models, and what they are asked and answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

Pixel = tuple[int, int, int]
"""Red, green and blue, each from 0 to 255."""


@dataclass(frozen=True, slots=True)
class Image:
    """A rectangle of at least one pixel."""

    rows: tuple[tuple[Pixel, ...], ...]

    def __post_init__(self) -> None:
        if not self.rows or not self.rows[0]:
            raise ValueError("an image has at least one pixel")
        if any(len(row) != self.width for row in self.rows):
            raise ValueError("all rows of an image are equally long")
        if any(not 0 <= channel <= 255 for pixel in self.pixels() for channel in pixel):
            raise ValueError("a colour channel is a number from 0 to 255")

    @property
    def width(self) -> int:
        """Pixels in a row."""
        return len(self.rows[0])

    @property
    def height(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def pixels(self) -> Iterable[Pixel]:
        """All pixels, row by row."""
        return (pixel for row in self.rows for pixel in row)


@dataclass(frozen=True, slots=True)
class Request:
    """A question about an image."""

    prompt: str
    image: Image
    max_words: int = 64

    def __post_init__(self) -> None:
        if self.max_words < 1:
            raise ValueError("an answer has room for at least one word")


@dataclass(frozen=True, slots=True)
class Response:
    """A model's answer."""

    model: str
    text: str
    truncated: bool
    """Whether `max_words` cut the answer short."""


@runtime_checkable
class Model(Protocol):
    """A model under benchmark. Asked the same again, it may answer differently, but never fails half way."""

    @property
    def name(self) -> str:
        """The name that it is registered and reported under."""
        ...

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        ...
