"""Bringing other collections' prices into the tables, as dated blocks that name where they came from."""
