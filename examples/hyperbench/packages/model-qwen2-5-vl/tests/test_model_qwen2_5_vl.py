import unittest

from model_interface import Image, Model, Request, load_model
from model_qwen2_5_vl import Qwen25VL

RED = (250, 10, 0)
NAVY = (0, 0, 140)
FLAG = Image(rows=((RED, RED, RED), (RED, NAVY, NAVY)))


def answer(prompt: str, image: Image = FLAG, max_words: int = 64) -> str:
    return Qwen25VL().answer(Request(prompt=prompt, image=image, max_words=max_words)).text


class Answers(unittest.TestCase):
    def test_a_description_has_all_facts(self) -> None:
        self.assertEqual(
            answer("Describe the image."),
            "The image is 3 pixels wide and 2 high. It is mostly red (67% of it). "
            "Its upper half is the brighter one.",
        )

    def test_the_prompt_picks_the_fact(self) -> None:
        self.assertEqual(answer("What COLOR is it?"), "It is mostly red (67% of it).")
        self.assertEqual(answer("How wide is it?"), "The image is 3 pixels wide and 2 high.")

    def test_halves(self) -> None:
        for rows, expected in [
            (((NAVY,), (RED,), (NAVY,)), "Its halves are equally bright."),
            (((NAVY,), (RED,)), "Its lower half is the brighter one."),
            (((NAVY,),), "It is too flat to have halves."),
        ]:
            with self.subTest(rows=rows):
                self.assertEqual(answer("Where is it dark?", Image(rows=rows)), expected)

    def test_an_answer_keeps_to_its_length(self) -> None:
        response = Qwen25VL().answer(Request(prompt="", image=FLAG, max_words=3))
        self.assertEqual((response.text, response.truncated), ("The image is", True))


class Registered(unittest.TestCase):
    def test_it_is_found_by_name(self) -> None:
        model: Model = load_model("qwen2-5-vl")
        self.assertIsInstance(model, Qwen25VL)
        self.assertEqual(model.name, "qwen2-5-vl")


if __name__ == "__main__":
    unittest.main()
