"""What every training format comes down to: examples of messages, whatever they were called in the file."""

from __future__ import annotations

from typing import Literal, NamedTuple

Role = Literal["system", "user", "assistant", "tool"]
"""``developer`` counts as system, ``function`` and ``observation`` as tool."""

Kind = Literal["chat", "completion", "preference", "unpaired preference", "reinforcement", "text"]
"""What is learned: the assistant's messages, a completion after a prompt, one of two answers over the other, whether one answer
is good, what a grader rewards, or all of a text."""


class Message(NamedTuple):
    """One message of an example.

    ``texts`` are the content's text parts in order; ``calls`` the names and arguments of tool calls; ``labels`` what else is
    sent with it (a name, the id of an answered call, a refusal). ``media`` counts images, sounds and files.
    """

    role: Role
    texts: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    named: bool = False
    learned: bool = True
    """False for an assistant message of weight 0; of other roles it says nothing."""
    media: int = 0
    stated_role: str = ""
    """The role's name in the file, where it differs."""
    unknown_key: str = ""
    """A key that providers may refuse, where there is one."""


class Example(NamedTuple):
    """One training example.

    ``messages`` is the conversation; in ``preference`` the part both answers share, in ``reinforcement`` the prompt, in ``text``
    a single user message that is learned whole. ``answers`` are the preferred and the other answer of a preference, or the one
    judged answer of an unpaired one, of which ``good`` says which it is.
    """

    kind: Kind
    messages: tuple[Message, ...]
    answers: tuple[tuple[Message, ...], ...] = ()
    good: bool | None = None
    tools: str = ""
    """Definitions of tools or functions, as the JSON text in the file."""
    grading: tuple[str, ...] = ()
    """Names of the fields a grader reads, of a reinforcement example."""
