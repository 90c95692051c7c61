"""What the tests of reading share."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def tiny_tokenizer(tmp_path):
    """The path of a tokenizer.json that knows h, i and hi."""
    path = tmp_path / "tokenizer.json"
    split = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {"type": "BPE", "vocab": {"h": 0, "i": 1, "hi": 2}, "merges": ["h i"]}
    path.write_text(json.dumps({"version": "1.0", "added_tokens": [], "pre_tokenizer": split, "decoder": split, "model": model}))
    return path
