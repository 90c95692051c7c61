"""Every training format: told from its records, read into one shape, and every unusable record named."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from ingest.errors import InputError
from ingest.examples import Example, Message
from ingest.formats import FORMATS, Unusable, detect, example_of, formats_of
from ingest.records import Record, records

SAMPLES = Path(__file__).parent / "samples"

HI = Message("user", ("Hi",))
HELLO = Message("assistant", ("Hello!",))
WHAT = Message("assistant", ("What.",))
BRIEF = Message("system", ("Be brief.",))
TRACK = '{"type":"function","function":{"name":"track","parameters":{"type":"object"}}}'

READ = {
    "openai_chat.jsonl": (
        "OpenAI chat",
        [
            Example(
                "chat",
                (
                    Message("system", ("Answer kindly.",)),
                    Message("user", ("Where is my parcel? 📦",)),
                    Message("assistant", ("On its way.",)),
                ),
            ),
            Example(
                "chat",
                (
                    Message("system", ("Answer kindly.",), stated_role="developer"),
                    Message("user", ("What is this?",), labels=("Zoë",), named=True, media=1),
                    Message("assistant", ("A parcel.",), learned=False),
                    Message("user", ("Sure?",)),
                    Message("assistant", ("Yes.",)),
                ),
            ),
            Example(
                "chat",
                (
                    Message("user", ("Track 7",)),
                    Message("assistant", calls=("track", '{"id": 7}')),
                    Message("tool", ("at the door",), labels=("c1",)),
                    Message("assistant", ("At the door.",)),
                ),
                tools=f"[{TRACK}]",
            ),
            Example(
                "chat",
                (
                    Message("user", ("Track 8",)),
                    Message("assistant", calls=("track", '{"id": 8}')),
                    Message("tool", ("lost",), labels=("track",), named=True, stated_role="function"),
                    Message("assistant", ("Lost.",)),
                ),
                tools='[{"name":"track","parameters":{"type":"object"}}]',
            ),
        ],
    ),
    "openai_preference.jsonl": ("OpenAI preference", [Example("preference", (HI,), ((HELLO,), (WHAT,)))]),
    "openai_reinforcement.jsonl": (
        "OpenAI reinforcement",
        [Example("reinforcement", (Message("user", ("Is it open?",)),), grading=("reference_answer", "hours"))],
    ),
    "prompt_completion.jsonl": (
        "prompt/completion",
        [Example("completion", (Message("user", ("Say hi",)), Message("assistant", ("Hi!",))))],
    ),
    "prompt_completion_messages.jsonl": (
        "prompt/completion",
        [Example("chat", (Message("user", ("Say hi",)), Message("assistant", ("Hi!",))))],
    ),
    "alpaca.json": (
        "Alpaca",
        [
            Example("chat", (Message("user", ("Translate", "Haus")), Message("assistant", ("house",)))),
            Example(
                "chat",
                (
                    BRIEF,
                    Message("user", ("Translate Haus",)),
                    Message("assistant", ("house",)),
                    Message("user", ("Again",)),
                    Message("assistant", ("home",)),
                ),
            ),
        ],
    ),
    "alpaca_response.json": (
        "Alpaca",
        [Example("chat", (Message("user", ("Translate", "Haus")), Message("assistant", ("house",))))],
    ),
    "sharegpt.json": (
        "ShareGPT",
        [
            Example(
                "chat",
                (
                    BRIEF,
                    Message("user", ("Track 7",), stated_role="human"),
                    Message("assistant", calls=('{"name": "track"}',), stated_role="function_call"),
                    Message("tool", ("door",), stated_role="observation"),
                    Message("assistant", ("At the door.",), stated_role="gpt"),
                ),
                tools='[{"name": "track"}]',
            ),
            Example("chat", (BRIEF, HI, HELLO)),
        ],
    ),
    "sharegpt_preference.json": (
        "ShareGPT preference",
        [
            Example(
                "preference",
                (HI._replace(stated_role="human"),),
                ((HELLO._replace(stated_role="gpt"),), (WHAT._replace(stated_role="gpt"),)),
            )
        ],
    ),
    "trl_preference.jsonl": ("TRL preference", [Example("preference", (HI,), ((HELLO,), (WHAT,)))] * 2),
    "trl_preference_without_prompt.jsonl": ("TRL preference", [Example("preference", (HI,), ((HELLO,), (WHAT,)))]),
    "trl_unpaired.csv": (
        "TRL unpaired preference",
        [
            Example("unpaired preference", (HI,), ((Message("assistant", ("Hello,\nyou!",)),),), good=True),
            Example("unpaired preference", (HI,), ((WHAT,),), good=False),
        ],
    ),
    "vertex.jsonl": (
        "Vertex AI",
        [
            Example(
                "chat",
                (
                    BRIEF,
                    HI._replace(media=1),
                    Message("assistant", calls=("track", '{"id":7}'), stated_role="model"),
                    Message("user", calls=("track", '{"at":"door"}')),
                    HELLO._replace(stated_role="model"),
                ),
            )
        ],
    ),
    "bedrock_conversation.jsonl": ("Bedrock conversation", [Example("chat", (BRIEF, HI, HELLO))]),
    "system_beside_messages.jsonl": ("OpenAI chat", [Example("chat", (BRIEF, HI, HELLO))]),
    "typed_parts_with_value.jsonl": ("OpenAI chat", [Example("chat", (HI._replace(learned=False), HELLO))]),
    "chat_under_a_key.json": ("OpenAI chat", [Example("chat", (HI, HELLO))]),
    "text.jsonl": ("text", [Example("text", (Message("user", ("A parcel is a thing.",)),))]),
}


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.iterdir()))
def test_a_format_is_told_and_read(name):
    format_name, examples = READ[name]
    found = list(records(SAMPLES / name))
    detected = detect(found)
    assert detected.format == format_name
    assert detected.evidence.startswith(f"{len(found)} of {len(found)} record")
    assert [example_of(record, detected.format) for record in found] == examples


def test_every_format_has_a_sample():
    assert {name for name, _ in READ.values()} == set(FORMATS)


@pytest.mark.parametrize(
    ("name", "format_name", "examples"),
    [
        ("alpaca_en_demo.json", "Alpaca", 999),
        ("gpteacher_roleplay.json", "Alpaca", 1923),
        ("dpo_en_demo.json", "ShareGPT preference", 300),
        ("v1_sft_demo.jsonl", "OpenAI chat", 500),
        ("toy_chat_fine_tuning.jsonl", "OpenAI chat", 5),
    ],
)
def test_real_files(shared_file, name, format_name, examples):
    found = list(records(shared_file(name)))
    assert detect(found[:200]).format == format_name
    assert len([example_of(record, format_name) for record in found]) == examples


def read(data, format_name="OpenAI chat") -> Example:
    return example_of(Record("f", 1, data), format_name)


CHAT = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}


@pytest.mark.parametrize(
    ("format_name", "data", "told"),
    [
        ("OpenAI chat", 7, "not a JSON object with messages"),
        ("OpenAI chat", {"prompt": "a", "completion": "b"}, "it looks like prompt/completion"),
        ("OpenAI chat", {"messages": []}, "no list of messages"),
        ("OpenAI chat", {"messages": ["hi"]}, "message 1 is not an object"),
        ("OpenAI chat", {"messages": [{"content": "hi"}]}, "message 1 has no role"),
        ("OpenAI chat", {"messages": [{"role": ["user"], "content": "hi"}]}, "unrecognised role"),
        ("OpenAI chat", {"messages": [{"role": "assistant"}]}, r"message 1 \(assistant\) has no content"),
        ("OpenAI chat", {"messages": [{"role": "assistant", "content": 5}]}, "neither text nor a list"),
        ("OpenAI chat", {"messages": [{"role": "assistant", "content": [{"type": "text"}]}]}, "a content part is not"),
        ("OpenAI chat", {"messages": [{"role": "user", "content": "hi"}]}, "no assistant message"),
        ("OpenAI reinforcement", CHAT | {"answer": 1}, "the last message is an answer"),
        ("OpenAI preference", {"input": "hi", "preferred_output": [], "non_preferred_output": []}, "no input with messages"),
        ("TRL preference", {"prompt": "hi", "chosen": 1, "rejected": "b"}, "chosen is neither text nor messages"),
        ("TRL preference", {"prompt": 3, "chosen": "a", "rejected": "b"}, "prompt is neither text nor messages"),
        ("TRL unpaired preference", {"prompt": "hi", "completion": "a", "label": "good"}, "label is neither true nor false"),
        ("ShareGPT", {"conversations": [{"from": "robot", "value": "a"}]}, "unrecognised role 'robot'"),
        ("Vertex AI", {"contents": [{"role": "user", "parts": [{"text": "a"}]}]}, "no assistant message"),
        ("Alpaca", {"instruction": "a", "output": None}, "no text under output"),
        ("Alpaca", {"instruction": "a", "output": "b", "history": [["a"]]}, "history is no list of pairs"),
        ("text", {"text": 1}, "no text under text"),
    ],
)
def test_an_unusable_record_says_why(format_name, data, told):
    with pytest.raises(Unusable, match=told):
        read(data, format_name)


def test_a_record_that_could_not_be_read_keeps_its_problem():
    with pytest.raises(Unusable, match="not UTF-8"):
        example_of(Record("f", 3, None, "not UTF-8 text"), "OpenAI chat")


def test_null_counts_as_absent():
    """Tables give every record every key."""
    message = {"role": "assistant", "content": "b", "name": None, "tool_calls": None, "weight": None}
    assert read({"messages": [message], "tools": None}) == Example("chat", (Message("assistant", ("b",)),))


def test_an_unknown_key_is_named():
    [message] = read({"messages": [{"role": "assistant", "content": "b", "mood": "glad"}]}).messages
    assert (message.unknown_key, message.labels) == ("mood", ("glad",))


def test_the_majority_decides_a_mixed_file():
    chat, pair = Record("f", 1, CHAT), Record("f", 2, {"prompt": "a", "completion": "b"})
    detected = detect([chat, pair, chat, Record("f", 4, None, "not valid JSON")])
    assert (detected.format, detected.evidence) == ("OpenAI chat", "2 of 3 records have messages with role and content")
    with pytest.raises(
        InputError, match=r"no format fits more than half of 3 records: 1 × OpenAI chat; 1 × prompt/completion; 1 with"
    ):
        detect([chat, pair, Record("f", 3, {"a": 1})])


def test_a_file_of_unreadable_lines_is_refused():
    with pytest.raises(InputError, match="none of its 2 lines"):
        detect([Record("f", 1, None, "not valid JSON"), Record("f", 2, None, "not valid JSON")])
    with pytest.raises(InputError, match=r"^f: skipped\.$"):
        detect([Record("f", None, None, "skipped")])


def test_alternatives_are_named():
    [record] = records(SAMPLES / "bedrock_conversation.jsonl")
    assert detect([record]).alternatives == ("OpenAI chat",)


ALL = ("openai", "mistral", "together", "fireworks")


@pytest.mark.parametrize(
    ("messages", "beside", "providers"),
    [
        ([{"role": "assistant", "content": "a", "weight": 0}], {"tools": []}, ALL),
        ([{"role": "developer", "content": "a"}], {}, ("openai",)),
        ([{"role": "assistant", "content": "a", "function_call": {}}], {}, ("openai",)),
        ([{"role": "user", "content": [{"type": "text", "text": "a"}]}], {}, ("openai", "together", "fireworks")),
        ([{"role": "user", "content": [{"type": "text", "value": "a"}]}], {}, ()),
        ([{"role": "user", "content": "a", "loss_weight": 1}], {}, ()),
        ([{"role": "user", "content": "a", "loss_weight": None}], {"functions": None}, ALL),
        ([{"role": "user", "content": "a"}], {"system": "b"}, ()),
    ],
)
def test_who_takes_a_chat_file(messages, beside, providers):
    detected = detect([Record("f", 1, CHAT), Record("f", 2, {"messages": messages} | beside)])
    assert (detected.format, detected.providers) == ("OpenAI chat", providers)


def test_who_takes_other_formats():
    for name, providers in {
        "vertex.jsonl": ("vertex-ai",),
        "alpaca.json": (),
        "prompt_completion.jsonl": ("bedrock", "together"),
    }.items():
        assert detect(records(SAMPLES / name)).providers == providers


ODD = (None, True, 0, 1.5, "", "user", [], {}, [1], ["a"], {"a": 1}, [[]], [{}], [None], {"role": "user"}, "[{")


def damaged(data, random: Random):
    """A copy with some values replaced and some left out."""
    if random.random() < 0.12:
        return random.choice(ODD)
    if isinstance(data, dict):
        return {key: damaged(value, random) for key, value in data.items() if random.random() > 0.05}
    if isinstance(data, list):
        return [damaged(value, random) for value in data if random.random() > 0.05]
    return data


@pytest.mark.parametrize("name", sorted(READ))
def test_a_damaged_record_is_unusable_at_worst(name):
    random = Random(name)
    samples = data_of(name)
    for _ in range(400):
        record = Record("f", 1, damaged(random.choice(samples), random))
        formats = [random.choice(sorted(FORMATS)), *formats_of(record.data)]
        with suppress(InputError):
            assert detect([record]).format in formats
        for format_name in formats:
            with suppress(Unusable):
                example = example_of(record, format_name)
                texts = [text for message in example.messages for text in (*message.texts, *message.calls, *message.labels)]
                assert all(isinstance(text, str) for text in (*texts, example.tools))


def data_of(name: str) -> list:
    return [record.data for record in records(SAMPLES / name)]


def test_prompts_to_be_graded_are_not_offered_as_chat():
    data = {"messages": [{"role": "user", "content": "2+2?"}], "answer": "4"}
    found = detect([Record("file.jsonl", line, data) for line in range(1, 4)])
    assert (found.format, found.alternatives) == ("OpenAI reinforcement", ())


def test_a_wrong_label_is_told_with_its_value():
    with pytest.raises(Unusable, match="but 'good'; write true where the answer is good"):
        example_of(Record("f", 1, {"prompt": "a", "completion": "b", "label": "good"}), "TRL unpaired preference")
