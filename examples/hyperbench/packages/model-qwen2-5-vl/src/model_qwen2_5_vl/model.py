"""The model."""

from model_interface import Request, Response

from model_qwen2_5_vl.facts import FACTS


class Qwen25VL:
    """Answers with the facts that the prompt asks for by word, or with all of them."""

    name = "qwen2-5-vl"

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        prompt = request.prompt.lower()
        asked = [fact for keywords, fact in FACTS if any(keyword in prompt for keyword in keywords)]
        facts = asked or [fact for _, fact in FACTS]
        words = " ".join(fact(request.image) for fact in facts).split()
        return Response(
            model=self.name,
            text=" ".join(words[: request.max_words]),
            truncated=len(words) > request.max_words,
        )
