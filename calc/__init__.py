"""How costs add up: typed scenarios in, comparable answers out. Reads no file, no clock, no network."""

from calc.compare import Comparison, NothingToCompare, compare
from calc.ledger import CostLine, Ledger, Unpriced
from calc.scenario import Approach, Scenario

__all__ = ["Approach", "Comparison", "CostLine", "Ledger", "NothingToCompare", "Scenario", "Unpriced", "compare"]
