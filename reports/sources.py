"""How a source is written where a whole address would not fit."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit


def source_words(source: str) -> str:
    """An address without its scheme; a package by its name and version; own prices by their file."""
    if source.startswith("file:"):
        return f"own prices ({unquote(source.removeprefix('file:'))})"
    if source.startswith("pkg:"):
        kind, _, name = source.removeprefix("pkg:").partition("#")[0].partition("/")
        return f"{name.replace('@', ' ').replace('%40', '@')} ({kind} package)"
    parts = urlsplit(source)
    return f"{parts.netloc.removeprefix('www.')}{parts.path.rstrip('/')}"
