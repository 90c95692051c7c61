"""The parts of an approach: one module each, listing its cost lines top to bottom."""
