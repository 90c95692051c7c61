"""What a field means is the docstring beneath it."""

from calc.scenario import Approach, Dedicated, Workload
from ingest.fields import meaning_of


def test_the_docstring_beneath_a_field_is_its_meaning():
    assert meaning_of(Workload, "user_tokens") == "Tokens of one user message."
    assert meaning_of(Approach, "shots") == "Examples shown in every request."


def test_an_inherited_field_keeps_its_meaning():
    assert meaning_of(Dedicated, "min_replicas") == "Replicas kept on whatever the traffic."


def test_a_field_without_a_docstring_and_an_unknown_one_have_none():
    assert meaning_of(Approach, "retrieval") == ""
    assert meaning_of(Approach, "no_such_field") == ""
