"""How results look: charts, tables, documents, words."""
