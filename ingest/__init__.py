"""Read and measure what you have: scenario files, training files, tokens."""

from ingest.errors import InputError, Problem
from ingest.scenario_file import load_scenario, read_scenario

__all__ = ["InputError", "Problem", "load_scenario", "read_scenario"]
