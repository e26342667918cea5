"""The reference of registrations, from its files: a scan whose brain is found or given, or the MNI152 brain."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hail_mri.apps.requests import ScanRequest
from hail_mri.apps.scan_files import Scan, read_scan
from hail_mri.errors import InputError
from hail_mri.harmonize.check import require_checked
from hail_mri.harmonize.settings import HarmonizeSettings

if TYPE_CHECKING:
    from hail_mri.harmonize.check import Check
    from hail_mri.preprocess.reference import Reference
    from hail_mri.segmentation.segment import Segmentation

BUILT_IN = "mni152"


@dataclass(frozen=True)
class ReferenceFiles:
    """Where the reference is to be read: a scan, perhaps with its brain mask, or the name of one that is built in."""

    path: Path
    brain_mask: Path | None = None

    @property
    def is_built_in(self) -> bool:
        """Whether it comes with the package; a file of that name comes first."""
        return str(self.path) == BUILT_IN and not self.path.exists()

    @property
    def read(self) -> list[Path]:
        """The files that are read for it."""
        files = [] if self.is_built_in else [self.path]
        return files if self.brain_mask is None else [*files, self.brain_mask]


@dataclass(frozen=True)
class LoadedReference:
    """A reference with the files it came from, and its checks."""

    reference: Reference
    scan: Scan | None
    checks: tuple[Check, ...] = ()


def load_reference(
    files: ReferenceFiles, *, spacing: float = 1.0, size: int = 256, threads: int | None = None, force: bool = False
) -> LoadedReference:
    """Read a reference, and find its brain if no mask is given.

    Parameters
    ----------
    files : ReferenceFiles
    spacing : float
        Of the prepared grid, mm.
    size : int
        Its voxels along each edge.
    threads : int or None
    force : bool
        Take one that fails a check.

    Raises
    ------
    HailError
        If it cannot be read, fails a check, or a mask is given for one that is built in.
    """
    from hail_mri.preprocess.reference import mni_reference, scan_reference

    if files.is_built_in:
        if files.brain_mask is not None:
            raise InputError(f"a brain mask is given for the reference {BUILT_IN}, which has its own")
        return LoadedReference(mni_reference(spacing=spacing, size=size), None)
    scan = read_scan(ScanRequest(files.path, files.path, files.brain_mask, label=str(files.path)))
    checks: tuple[Check, ...] = ()
    mask = scan.brain_mask
    if mask is None:
        found = segmented(scan, threads=threads)
        require_checked(files.path, found.checks, force=force)
        mask, checks = found.brain_mask, found.checks
    name = files.path.name
    reference = scan_reference(scan.volume, mask, name=name, spacing=spacing, size=size)
    return LoadedReference(reference, scan, checks)


def segmented(scan: Scan, *, threads: int | None) -> Segmentation:
    """Find the tissues of a scan, and so its brain."""
    from hail_mri.segmentation.segment import segment

    return segment(scan.volume, model=HarmonizeSettings.model, threads=threads)
