"""Times the model on images of growing size."""

from bench_utils import Summary, format_summaries, measure
from model_interface import Image, Request

from model_qwen2_5_vl.model import Qwen25VL


def gradient(side: int) -> Image:
    """A square that fades from black to yellow, top to bottom."""
    levels = [255 * row // max(side - 1, 1) for row in range(side)]
    return Image(rows=tuple(((level, level, 0),) * side for level in levels))


def benchmark(side: int) -> Summary:
    """Time the description of a square image."""
    model = Qwen25VL()
    request = Request(prompt="Describe the image.", image=gradient(side))
    return measure(lambda: model.answer(request))


if __name__ == "__main__":
    print(format_summaries({f"{side} x {side}": benchmark(side) for side in (4, 16, 64)}))
