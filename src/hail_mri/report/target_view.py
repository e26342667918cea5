"""What a report shows of a target: a scan with pictures and histograms, or a style card with means alone.

Many scans of a study have one target: what was seen of it is kept for the next report, but for its voxels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hail_mri.harmonize.style_card import StyleCard
from hail_mri.image.mask import MASK_THRESHOLD, load_mask
from hail_mri.image.nifti import load_volume
from hail_mri.image.orientation import to_canonical
from hail_mri.image.scales import LinearScale
from hail_mri.model.tissue_style import TissueStyle
from hail_mri.preprocess.prepare import WHITE_MATTER as WHITE_MATTER_SCALED
from hail_mri.provenance.hashes import InputFile
from hail_mri.report.blocks import Picture
from hail_mri.report.histograms import TissueCounts, count_tissues
from hail_mri.report.planes import PLANES, Place, as_picture, grey, slice_at
from hail_mri.report.scan_view import TISSUES, ScanView, view_scan

N_KEPT = 4  # targets


@dataclass(frozen=True)
class TargetView:
    """A target.

    Attributes
    ----------
    scale : LinearScale
        No signal becomes 0, white matter 1.
    pictures : mapping of str to Picture
        By plane; empty for a style card.
    counts : mapping of str to TissueCounts
        By tissue.
    told : str
        Where tissues come from.
    """

    scale: LinearScale
    pictures: Mapping[str, Picture]
    counts: Mapping[str, TissueCounts]
    told: str


def view_target(path: Path, *, is_style_card: bool, brain_mask: Path | None, lesion_mask: Path | None) -> TargetView:
    """
    Look at a target.

    Parameters
    ----------
    path : Path
        Of a scan or a style card.
    is_style_card : bool
    brain_mask, lesion_mask : Path or None
        Of the scan; a lesion is no tissue to compare with.

    Raises
    ------
    MissingFileError, InputError
        If a file cannot be read, or no head is found in the scan.
    """
    if is_style_card:
        return _view_card(StyleCard.load(path))
    brain, lesion = (None if mask is None else InputFile.read(mask) for mask in (brain_mask, lesion_mask))
    return _view_of_files(InputFile.read(path), brain, lesion)


def pictures_of(view: ScanView, place: Place, name: str) -> dict[str, Picture]:
    """Return pictures of a scan by plane, grey from no signal to somewhat above white matter."""
    percent = view.percent()
    return {
        plane: as_picture(grey(slice_at(percent, place, axis)), f"{name}, {plane}") for plane, axis in PLANES.items()
    }


@lru_cache(maxsize=N_KEPT)
def _view_of_files(scan: InputFile, brain_mask: InputFile | None, lesion_mask: InputFile | None) -> TargetView:
    """Look at a scan; files with the same hashes give the same."""
    volume = load_volume(scan.path)
    mask = None if brain_mask is None else load_mask(brain_mask.path, volume, scan.path)
    view = view_scan(volume, brain_mask=mask)
    pictures = pictures_of(view, Place.of(view.centre, view.volume.spacing), "target")
    if lesion_mask is not None:
        marked = load_mask(lesion_mask.path, volume, scan.path, of="the lesion")
        view = view.without(to_canonical(marked).data > MASK_THRESHOLD)
    return TargetView(view.scale, pictures, count_tissues(view), view.told)


def _view_card(card: StyleCard) -> TargetView:
    """Return what a style card tells."""
    style, low = card.style, card.low
    if not isinstance(style, TissueStyle):
        white = WHITE_MATTER_SCALED
        told = "The style card holds statistics of features, which name no tissues."
        return TargetView(LinearScale(low, low + white * (card.high - low)), {}, {}, told)
    counts = {}
    for name, classes in TISSUES.items():
        total = sum(style.fractions[k] for k in classes)
        mean = sum(style.means[k] * style.fractions[k] for k in classes) / total
        counts[name] = TissueCounts(None, 100 * mean / style.means[TISSUES["white matter"][0]])
    white = style.means[TISSUES["white matter"][0]]
    told = "The target is a style card: mean intensities of tissues (upright lines), without any image."
    return TargetView(LinearScale(low, low + white * (card.high - low)), {}, counts, told)
