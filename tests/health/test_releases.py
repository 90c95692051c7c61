"""What has been released stays as it was."""

from __future__ import annotations

import pytest

from pricing import PriceBook, Release, releases

BOOK = PriceBook.bundled()


@pytest.mark.parametrize("release", BOOK.releases, ids=lambda release: release.name)
def test_a_release_is_still_in_the_book_as_it_was(release: Release) -> None:
    assert releases.is_unchanged(BOOK, release), (
        f"A record of {release.recorded_through} or before was altered, removed or added, so reports pinned to release "
        f"{release.name} change. Restore it, and enter the correction as a new record of today (docs/adding-a-price.md)."
    )


def test_releases_have_names_of_their_own() -> None:
    names = [release.name for release in BOOK.releases]
    assert names
    assert len(set(names)) == len(names)
