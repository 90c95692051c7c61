"""The tokens around messages, against whole conversations written by each family's published template."""

from __future__ import annotations

import pytest

from ingest.chat_templates import CHAT_TEMPLATES, NO_TEMPLATE, OPENAI, shape_of, template_for
from ingest.examples import Message
from ingest.tokenizers import known_vocabulary, load_tokenizer

SYSTEM, ASKED, ANSWERED = "Answer kindly.", "Where is my parcel?", "On its way, arriving today."
AGAIN, AT_LAST = "Thanks! When exactly?", "Tomorrow at nine."

CONVERSATIONS = {
    "llama-3.1-8b": "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nAnswer kindly.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nWhere is my parcel?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\nOn its way, arriving today.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nThanks! When exactly?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\nTomorrow at nine.<|eot_id|>",
    "mistral-7b-v0.3": "<s>[INST]Answer kindly.\n\nWhere is my parcel?[/INST]On its way, arriving today.</s>"
    "[INST]Thanks! When exactly?[/INST]Tomorrow at nine.</s>",
    "deepseek-v3": "<｜begin▁of▁sentence｜>Answer kindly.<｜User｜>Where is my parcel?"
    "<｜Assistant｜>On its way, arriving today.<｜end▁of▁sentence｜><｜User｜>Thanks! When exactly?"
    "<｜Assistant｜>Tomorrow at nine.<｜end▁of▁sentence｜>",
    "qwen3-8b": "<|im_start|>system\nAnswer kindly.<|im_end|>\n<|im_start|>user\nWhere is my parcel?<|im_end|>\n"
    "<|im_start|>assistant\nOn its way, arriving today.<|im_end|>\n<|im_start|>user\nThanks! When exactly?<|im_end|>\n"
    "<|im_start|>assistant\nTomorrow at nine.<|im_end|>\n",
    "gemma-3-27b": "<bos><start_of_turn>user\nAnswer kindly.\n\nWhere is my parcel?<end_of_turn>\n"
    "<start_of_turn>model\nOn its way, arriving today.<end_of_turn>\n<start_of_turn>user\nThanks! When exactly?<end_of_turn>\n"
    "<start_of_turn>model\nTomorrow at nine.<end_of_turn>\n",
    "phi-4": "<|im_start|>system<|im_sep|>Answer kindly.<|im_end|><|im_start|>user<|im_sep|>Where is my parcel?<|im_end|>"
    "<|im_start|>assistant<|im_sep|>On its way, arriving today.<|im_end|>"
    "<|im_start|>user<|im_sep|>Thanks! When exactly?<|im_end|><|im_start|>assistant<|im_sep|>Tomorrow at nine.<|im_end|>",
    "glm-4.5-air": "[gMASK]<sop><|system|>\nAnswer kindly.<|user|>\nWhere is my parcel?<|assistant|>\nOn its way, arriving today."
    "<|user|>\nThanks! When exactly?<|assistant|>\nTomorrow at nine.",
    "kimi-k2": "<|im_system|>system<|im_middle|>Answer kindly.<|im_end|><|im_user|>user<|im_middle|>Where is my parcel?<|im_end|>"
    "<|im_assistant|>assistant<|im_middle|>On its way, arriving today.<|im_end|>"
    "<|im_user|>user<|im_middle|>Thanks! When exactly?<|im_end|>"
    "<|im_assistant|>assistant<|im_middle|>Tomorrow at nine.<|im_end|>",
}
MESSAGES = (
    Message("system", (SYSTEM,)),
    Message("user", (ASKED,)),
    Message("assistant", (ANSWERED,)),
    Message("user", (AGAIN,)),
    Message("assistant", (AT_LAST,)),
)


def tokens_by_template(model: str, messages: tuple[Message, ...]) -> int:
    vocabulary = known_vocabulary(model)
    tokenizer, template = load_tokenizer(vocabulary), template_for(model, vocabulary)
    around = template.start_tokens(tokenizer) + template.shape_tokens(tokenizer, shape_of(messages))
    return around + int(tokenizer.counts([text for message in messages for text in message.texts]).sum())


@pytest.mark.parametrize("model", CONVERSATIONS)
def test_a_sum_over_messages_is_the_whole_conversation_encoded(model):
    tokenizer = load_tokenizer(known_vocabulary(model))
    assert tokens_by_template(model, MESSAGES) == tokenizer.count_marked(CONVERSATIONS[model])


def test_a_full_stop_before_the_templates_line_ends_merges_with_them():
    whole = "<s>[INST]Answer kindly.\n\nWhere is my parcel?[/INST]"
    encoded = load_tokenizer("mistral-tekken").count_marked(whole)
    assert tokens_by_template("mistral-nemo", MESSAGES[:2]) == encoded + 1


@pytest.mark.parametrize(
    ("vocabulary", "template", "tokens", "merged"),
    [
        ("mistral-v1", "mistral-v1", 39, 1),
        ("mistral-v3", "mistral-v3", 29, 1),
        ("mistral-tekken", "mistral-v3", 26, 0),
        ("mistral-v3", "mistral-v7", 29, 0),
    ],
)
def test_mistrals_own_library_counts_the_same(vocabulary, template, tokens, merged):
    """Figures of mistral-common 1.13.1's encode_chat_completion; where a system message is plain text, its line ends merge."""
    tokenizer = load_tokenizer(vocabulary)
    chosen = next(known for known in CHAT_TEMPLATES if known.name == template)
    messages = (Message("system", ("Answer kindly",)), *MESSAGES[1:4])
    around = chosen.start_tokens(tokenizer) + chosen.shape_tokens(tokenizer, shape_of(messages))
    assert around + int(tokenizer.counts([message.texts[0] for message in messages]).sum()) == tokens + merged


def test_the_cookbooks_rule():
    # 3 for the reply; user: 3 + role 1 + name 1; assistant: 3 + role 1
    tokenizer = load_tokenizer("cl100k_base")
    shape = shape_of((Message("user", named=True), Message("assistant")))
    assert OPENAI.start_tokens(tokenizer) + OPENAI.shape_tokens(tokenizer, shape) == 12
    assert OPENAI.shape_tokens(tokenizer, ()) == 0


def test_a_role_counts_by_its_name_in_the_file():
    tokenizer = load_tokenizer("o200k_base")
    stated = shape_of((Message("tool", stated_role="observation tower"),))
    assert OPENAI.shape_tokens(tokenizer, stated) == 3 + tokenizer.count("observation tower")


def test_a_default_system_message_is_known_by_its_model():
    template = template_for("qwen2.5-7b-instruct", "qwen3")
    tokenizer = load_tokenizer("qwen3")
    whole = "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"
    assert template.default_system_tokens(tokenizer) == tokenizer.count_marked(whole)
    assert template_for("qwen3-8b", "qwen3").default_system_tokens(tokenizer) == 0


@pytest.mark.parametrize(
    ("model", "template"),
    [
        ("gpt-4.1-mini", "openai"),
        ("o200k_base", "openai"),
        ("openai/gpt-oss-20b", "harmony"),
        ("davinci-002", "none"),
        ("together/llama-3.3-70b", "llama3"),
        ("mistral-small-2506", "mistral-v7"),
        ("mistral-small-2409", "mistral-v3"),
        ("qwen3-8b", "chatml"),
        ("qwen2.5-72b", "chatml-qwen2.5"),
    ],
)
def test_a_model_has_its_template(model, template):
    assert template_for(model, known_vocabulary(model)).name == template


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "claude-opus-4-8", "gemma-4-27b"])
def test_a_template_that_is_not_published_is_not_made_up(model):
    assert template_for(model, known_vocabulary(model)) is None


@pytest.mark.parametrize("template", [*CHAT_TEMPLATES, NO_TEMPLATE, OPENAI], ids=lambda template: template.name)
def test_every_template_names_its_source(template):
    assert template.source.startswith("https://")
