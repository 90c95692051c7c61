"""Read and measure what you have: scenario files, training files, tokens."""

from ingest.bills import FileBills, file_bills
from ingest.data_scenario import scenario_from_data
from ingest.dataset import TrainingFile, measure_training_file
from ingest.errors import InputError, NotInstalled, Problem
from ingest.own_prices import load_own_prices
from ingest.savings import DataFile, read_data
from ingest.scenario_file import load_scenario, read_scenario
from ingest.tokenizers import Tokenizer, tokenizer_for

__all__ = [
    "DataFile",
    "FileBills",
    "InputError",
    "NotInstalled",
    "Problem",
    "Tokenizer",
    "TrainingFile",
    "file_bills",
    "load_own_prices",
    "load_scenario",
    "measure_training_file",
    "read_data",
    "read_scenario",
    "scenario_from_data",
    "tokenizer_for",
]
