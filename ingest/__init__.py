"""Read and measure what you have: scenario files, training files, tokens."""

from ingest.dataset import TrainingFile, measure_training_file
from ingest.errors import InputError, NotInstalled, Problem
from ingest.own_prices import load_own_prices
from ingest.scenario_file import load_scenario, read_scenario
from ingest.tokenizers import Tokenizer, tokenizer_for

__all__ = [
    "InputError",
    "NotInstalled",
    "Problem",
    "Tokenizer",
    "TrainingFile",
    "load_own_prices",
    "load_scenario",
    "measure_training_file",
    "read_scenario",
    "tokenizer_for",
]
