"""Token counts against an independent implementation of the same vocabularies."""

from __future__ import annotations

import bpe_openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import InputError, tokenizer_for
from ingest.tokenizers import load_tokenizer, tokenizer_name, tokenizer_names, without_lone_surrogates

TEXTS = [
    "",
    " ",
    "The quick brown fox jumps over the lazy dog.",
    "Where do I find my invoice of 2026-11-20, €1.234,56?",
    "Wo finde ich meine Rechnung? Grüße aus Köln — danke schön!",
    "¿Dónde está la factura?\n\n\tGracias.  \n",
    "请问我的发票在哪里？谢谢。",
    "請求書はどこにありますか。ありがとうございます。",
    "청구서는 어디에 있나요?",
    "Где мой счёт? Спасибо!",
    "أين فاتورتي؟ شكرًا جزيلًا",
    "मेरा चालान कहाँ है? धन्यवाद",
    "ใบแจ้งหนี้ของฉันอยู่ที่ไหน",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇪🇺 👍🏽 naïve café ﬁne",
    "def f(x: int) -> int:\n    return x ** 2  # x²\n\n\nif __name__ == '__main__':\n\tprint(f(12345678))\n",
    '{"messages": [{"role": "user", "content": "hi"}]}',
    "SELECT * FROM t WHERE a >= 1e-9 AND b != 'it''s';",
    "<|endoftext|> <|im_start|>system",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "I'll we've DON'T they'RE 'twas",
    "e\u0301 \u200b \u00a0 \u3000 \r\n\r\n \ufeff",
]
ORACLE = ("cl100k_base", "o200k_base")


def oracle_count(name: str, text: str) -> int:
    return len(bpe_openai.get_encoding(name).encode_ordinary(text))


@pytest.mark.parametrize("name", ORACLE)
@pytest.mark.parametrize("text", TEXTS)
def test_counts_agree_with_the_oracle(name, text):
    assert load_tokenizer(name).count(text) == oracle_count(name, text)


@pytest.mark.parametrize("name", ORACLE)
@given(text=st.text(max_size=200))
def test_counts_of_any_text_agree_with_the_oracle(name, text):
    assert load_tokenizer(name).count(text) == oracle_count(name, text)


@pytest.mark.parametrize("name", ["toy_chat_fine_tuning.jsonl", "v1_sft_demo.jsonl"])
def test_counts_of_real_files_agree_with_the_oracle(shared_file, name):
    text = shared_file(name).read_text(encoding="utf-8")
    for vocabulary in ORACLE:
        assert load_tokenizer(vocabulary).count(text) == oracle_count(vocabulary, text)


@pytest.mark.parametrize("name", tokenizer_names())
def test_every_vocabulary_counts(name):
    tokenizer = load_tokenizer(name)
    assert tokenizer.name == name
    assert tokenizer.count("") == 0
    assert tokenizer.count("Hello world") == 2


def test_lone_surrogates_count_as_the_replacement_character():
    tokenizer = load_tokenizer("o200k_base")
    assert without_lone_surrogates("a\ud800b") == "a\ufffdb"
    assert without_lone_surrogates("\ud83d\ude00") == "😀"
    assert tokenizer.count("a\ud800b") == tokenizer.count("a\ufffdb")


@pytest.mark.parametrize(
    ("model", "vocabulary"),
    [
        ("gpt-3.5-turbo", "cl100k_base"),
        ("gpt-4", "cl100k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("gpt-4o-mini", "o200k_base"),
        ("openai/gpt-4.1-mini", "o200k_base"),
        ("azure-openai/gpt-4o", "o200k_base"),
        ("o4-mini", "o200k_base"),
        ("gpt-5.6-luna", "o200k_base"),
        ("openai/gpt-6.1-terra", "o200k_base"),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", "o200k_base"),
        ("meta/llama-3.1-8b", "llama3"),
        ("together/llama-3.3-70b", "llama3"),
        ("mistral/mistral-small-2506", "mistral-tekken"),
        ("deepseek/deepseek-chat", "deepseek"),
        ("cl100k_base", "cl100k_base"),
    ],
)
def test_a_model_has_its_own_vocabulary(model, vocabulary):
    assert tokenizer_name(model) == vocabulary


@pytest.mark.parametrize("model", ["qwen/qwen3-8b", "gemma-3-27b", "claude-opus", "", "mistral-7b", "llama-2-7b"])
def test_a_vocabulary_not_at_hand_is_never_guessed(model):
    with pytest.raises(InputError, match=r"the tokenizer of .* is not at hand"):
        tokenizer_for(model)
