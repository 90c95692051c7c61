"""docs/price-coverage.md shows the book as it is."""

from __future__ import annotations

from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "price-coverage.md"


def test_the_table_is_the_commands(tuneworth):
    table = tuneworth("prices", "coverage", "--format", "md").out
    assert table.count("\n") > 50
    assert f"## Priced\n\n{table}\n## Known" in DOCUMENT.read_text(encoding="utf-8"), (
        "put the output of 'tuneworth prices coverage --format md' under the heading Priced"
    )


def test_every_figure_left_out_has_a_reason():
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").partition("## Known")[2].splitlines() if line.startswith("| ")]
    assert len(rows) > 300
    for row in rows:
        cells = [cell.strip() for cell in row.replace("\\|", "/").strip("|").split("|")]
        assert len(cells) == 6, row
        assert cells[5], row
