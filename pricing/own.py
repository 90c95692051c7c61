"""A user's own prices, to be laid over the book, and the file they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class OwnFile(NamedTuple):
    """A file of own prices: its name without a path, and the SHA-256 of its bytes."""

    name: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.name}, SHA-256 {self.sha256[:12]}"


@dataclass(frozen=True)
class OwnPrices(Mapping[str, Mapping[str, Any]]):
    """Provider tables of one's own, complete with sources: what `PriceBook.with_overrides` takes."""

    tables: Mapping[str, Mapping[str, Any]]
    file: OwnFile
    warnings: tuple[str, ...] = field(default=(), compare=False)
    """What is allowed but may be a slip: a private model named almost like a listed one."""

    def __getitem__(self, provider: str) -> Mapping[str, Any]:
        return self.tables[provider]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)
