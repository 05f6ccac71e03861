"""A stand-in for Qwen2.5-VL: it describes small images by rules, without weights and always alike.

It has the real model's place in the benchmarks, so that everything around a model can be built and tested on any
machine: `python -m model_qwen2_5_vl` times it.
"""

from model_qwen2_5_vl.model import Qwen25VL

__all__ = ["Qwen25VL"]
