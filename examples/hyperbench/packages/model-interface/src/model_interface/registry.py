"""The models that are installed.

A package registers a model as an entry point in the group `hyperbench.models`: the entry point's name is the model's,
and its object makes the model when called without arguments. So no benchmark imports the packages of the models.
"""

from importlib.metadata import EntryPoint, entry_points

from model_interface.model import Model

GROUP = "hyperbench.models"


class UnknownModelError(LookupError):
    """No installed package registers the model that was asked for."""

    def __init__(self, name: str, installed: list[str]) -> None:
        super().__init__(
            f"no model {name!r} is installed; there is {', '.join(installed) or 'none'}"
        )


def installed_models() -> dict[str, EntryPoint]:
    """The registered models by name, in alphabetical order; none is imported yet."""
    found = {entry_point.name: entry_point for entry_point in entry_points(group=GROUP)}
    return dict(sorted(found.items()))


def load_model(name: str) -> Model:
    """Import and make the model that is registered as `name`."""
    models = installed_models()
    if name not in models:
        raise UnknownModelError(name, list(models))
    model = models[name].load()()
    if not isinstance(model, Model):
        raise TypeError(f"{models[name].value} makes no model")
    return model
