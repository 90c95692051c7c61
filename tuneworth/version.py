"""The installed version."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """Version of the tuneworth that runs; empty where it runs from a checkout that is not installed."""
    try:
        return version("tuneworth")
    except PackageNotFoundError:
        return ""
