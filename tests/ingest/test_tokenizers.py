"""Token counts against an independent implementation of the same vocabularies."""

from __future__ import annotations

import sys

import bpe_openai
import pytest
import splintr
from hypothesis import given
from hypothesis import strategies as st

from ingest import InputError, NotInstalled, tokenizer_for
from ingest.tokenizers import load_tokenizer, tokenizer_name, tokenizer_names, tokenizer_of_file, without_lone_surrogates

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


@pytest.mark.parametrize("file", ["alpaca_en_demo.json", "dpo_en_demo.json", "gpteacher_roleplay.json", "v1_sft_demo.jsonl"])
@pytest.mark.parametrize("name", ORACLE)
def test_batches_of_real_texts_agree_with_the_oracle(shared_file, name, file):
    whole = shared_file(file).read_text(encoding="utf-8")
    texts = [whole[start : start + 700] for start in range(0, len(whole), 700)]
    encode = bpe_openai.get_encoding(name).encode_ordinary
    assert load_tokenizer(name).counts(texts).tolist() == [len(encode(text)) for text in texts]


MARKED = ["<|endoftext|> and on", "[INST] a [/INST]", "<s>x</s>", "a<|im_start|>b", "</think>", "|||EMAIL_ADDRESS|||", "/nothink"]


@pytest.mark.parametrize("name", sorted({*tokenizer_names()} - {"gemma2", "gemma3"}))
def test_special_markers_in_a_batch_count_as_the_text_they_are(name):
    librarys = {"deepseek": "deepseek_v3", "mistral-v1": "mistral_v1", "mistral-v3": "mistral_v2", "mistral-tekken": "mistral_v3"}
    vocabulary = splintr.Tokenizer.from_pretrained(librarys.get(name, name))
    texts = [*TEXTS, *MARKED]
    assert load_tokenizer(name).counts(texts).tolist() == [len(vocabulary.encode_ordinary(text)) for text in texts]


def test_gemmas_own_pieces_count_as_one_but_its_markers_do_not():
    """Gemma's vocabulary holds HTML tags and runs of line ends as pieces of plain text, and ``<bos>`` as a marker."""
    assert load_tokenizer("gemma3").counts(["<table>", "\n\n\n", "<bos>"]).tolist() == [1, 1, 3]


def test_a_tokenizer_is_read_from_a_file(tiny_tokenizer):
    tokenizer = tokenizer_of_file(tiny_tokenizer)
    assert tokenizer.name == "tokenizer.json"
    assert tokenizer.counts(["hi", "hihi", "ih", ""]).tolist() == [1, 2, 2, 0]


@pytest.mark.parametrize(("text", "told"), [("{}", "no tokenizer could be read"), ("", "the file is empty")])
def test_a_file_that_is_no_tokenizer_is_told(tmp_path, text, told):
    path = tmp_path / "tokenizer.json"
    path.write_text(text)
    with pytest.raises(InputError, match=told):
        tokenizer_of_file(path)


def test_counting_without_the_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "splintr", None)
    load_tokenizer.cache_clear()
    with pytest.raises(NotInstalled, match="'tokens' extra"):
        load_tokenizer("o200k_base")


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
        ("meta/llama-2-7b", "llama2"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mistral-v1"),
        ("mistral-7b-instruct-v0.3", "mistral-v3"),
        ("open-mistral-nemo", "mistral-tekken"),
        ("mistral-small-24b-instruct-2501", "mistral-tekken"),
        ("mistral-small-2409", "mistral-v3"),
        ("bedrock/us.meta.llama3-1-8b-instruct-v1:0", "llama3"),
        ("fireworks/llama-v3p1-8b-instruct", "llama3"),
        ("deepseek-r1-distill-llama-70b", "llama3"),
        ("together/qwen3-8b", "qwen3"),
        ("Qwen/Qwen2.5-72B-Instruct", "qwen3"),
        ("gemma-3-27b", "gemma3"),
        ("gemini-2.5-flash", "gemma3"),
        ("zai-org/GLM-4.5-Air", "glm4"),
        ("moonshotai/kimi-k2-instruct", "kimi-k2"),
        ("phi-4", "phi4"),
    ],
)
def test_a_model_has_its_own_vocabulary(model, vocabulary):
    assert tokenizer_name(model) == vocabulary


@pytest.mark.parametrize("model", ["qwen/qwen3.5-27b", "claude-opus", "", "mistral-7b", "llama-4-scout", "deepseek-v2"])
def test_a_vocabulary_not_at_hand_is_never_guessed(model):
    with pytest.raises(InputError, match=r"the tokenizer of .* is not at hand"):
        tokenizer_for(model)
