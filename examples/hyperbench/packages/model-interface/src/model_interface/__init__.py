"""What every benchmarked model implements, and how the installed ones are found."""

from model_interface.model import Image, Model, Pixel, Request, Response
from model_interface.registry import UnknownModelError, installed_models, load_model

__all__ = [
    "Image",
    "Model",
    "Pixel",
    "Request",
    "Response",
    "UnknownModelError",
    "installed_models",
    "load_model",
]
