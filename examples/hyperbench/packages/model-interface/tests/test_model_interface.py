import sys
import tempfile
import unittest
from pathlib import Path

from model_interface import (
    Image,
    Model,
    Request,
    Response,
    UnknownModelError,
    installed_models,
    load_model,
)

BLACK = (0, 0, 0)


class Echo:
    """The smallest model."""

    name = "echo"

    def answer(self, request: Request) -> Response:
        return Response(model=self.name, text=request.prompt, truncated=False)


class ImageShape(unittest.TestCase):
    def test_size(self) -> None:
        image = Image(rows=((BLACK, BLACK, BLACK), (BLACK, BLACK, BLACK)))
        self.assertEqual((image.width, image.height), (3, 2))
        self.assertEqual(len(list(image.pixels())), 6)

    def test_what_is_no_image_is_refused(self) -> None:
        for rows, message in [
            ((), "at least one pixel"),
            (((),), "at least one pixel"),
            (((BLACK,), (BLACK, BLACK)), "equally long"),
            ((((0, 256, 0),),), "from 0 to 255"),
        ]:
            with self.subTest(rows=rows), self.assertRaisesRegex(ValueError, message):
                Image(rows=rows)

    def test_an_answer_needs_room(self) -> None:
        with self.assertRaisesRegex(ValueError, "at least one word"):
            Request(prompt="", image=Image(rows=((BLACK,),)), max_words=0)


class Registry(unittest.TestCase):
    """Finds models that an installed package registers, which a directory on `sys.path` with metadata is."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        info = Path(directory.name) / "echo-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.3\nName: echo\nVersion: 1\n")
        (info / "entry_points.txt").write_text(
            f"[hyperbench.models]\ntest-echo = {__name__}:Echo\ntest-no-model = builtins:object\n"
        )
        sys.path.insert(0, directory.name)
        self.addCleanup(sys.path.remove, directory.name)

    def test_a_registered_model_is_loaded_by_name(self) -> None:
        self.assertIn("test-echo", installed_models())
        model = load_model("test-echo")
        self.assertIsInstance(model, Model)
        request = Request(prompt="hello", image=Image(rows=((BLACK,),)))
        self.assertEqual(model.answer(request).text, "hello")

    def test_an_unknown_model_names_the_known_ones(self) -> None:
        with self.assertRaisesRegex(UnknownModelError, "no model 'ecko'.*test-echo"):
            load_model("ecko")

    def test_what_is_registered_must_be_a_model(self) -> None:
        with self.assertRaisesRegex(TypeError, "builtins:object makes no model"):
            load_model("test-no-model")


if __name__ == "__main__":
    unittest.main()
