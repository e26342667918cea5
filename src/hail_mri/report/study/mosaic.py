"""The mosaic of a study: every scan before and after, in a row for each site, and in pages where there are many."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from hail_mri.report.blocks import badge
from hail_mri.report.study.charts import mosaic_of
from hail_mri.report.study.counts import BADGES, kind_of
from hail_mri.report.study.names import NO_SITE, anchor_of, short_name
from hail_mri.report.study.survey import StudyEntry, picture_size

PAGE = 48  # scans of a site that are shown at once


@dataclass(frozen=True)
class Tile:
    """A scan in the mosaic; pictures in base64, empty where there is none."""

    anchor: str
    name: str
    before: str
    after: str
    missing: str
    badge: Markup


@dataclass(frozen=True)
class SiteTiles:
    """The scans of a site, in pages."""

    site: str
    words: str
    pages: Sequence[Sequence[Tile]]


def mosaic(entries: Sequence[StudyEntry]) -> Markup:
    """
    Return the mosaic of a study; skipped images have no place in it.

    Parameters
    ----------
    entries : sequence of StudyEntry
    """
    shown = [entry for entry in entries if kind_of(entry.scan) != "skipped"]
    sites: dict[str, list[Tile]] = {}
    for entry in sorted(shown, key=lambda e: (not e.scan.site, e.scan.site, e.scan.line)):
        sites.setdefault(entry.scan.site or NO_SITE, []).append(_tile(entry))
    groups = [
        SiteTiles(site, f"{len(tiles)} {'scan' if len(tiles) == 1 else 'scans'}", _pages(tiles))
        for site, tiles in sites.items()
    ]
    return mosaic_of(groups, picture_size(len(entries)))


def _tile(entry: StudyEntry) -> Tile:
    """Return the tile of a scan."""
    before, after = (base64.b64encode(jpeg or b"").decode() for jpeg in (entry.before, entry.after))
    kind = kind_of(entry.scan)
    missing = "failed" if kind == "failed" else "not shown"
    mark = badge(BADGES.get(kind, ""), "") if kind != "ok" else Markup("")
    return Tile(anchor_of(entry.scan), short_name(entry.scan), before, after, missing, mark)


def _pages(tiles: Sequence[Tile]) -> list[Sequence[Tile]]:
    """Divide the scans of a site into pages."""
    return [tiles[start : start + PAGE] for start in range(0, len(tiles), PAGE)]
