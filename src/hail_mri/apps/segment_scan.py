"""Segment one scan from file to file."""

from pathlib import Path

from hail_mri.apps.requests import ScanRequest, own_sidecar, require_not_read
from hail_mri.apps.scan import Report
from hail_mri.apps.scan_files import read_scan
from hail_mri.errors import InputError
from hail_mri.harmonize.check import require_checked
from hail_mri.provenance.links import real_path
from hail_mri.segmentation.files import SegmentationInputs, SegmentationPaths, require_paths_free, save_segmentation


def segment_scan(
    scan_path: Path,
    paths: SegmentationPaths,
    *,
    brain_mask: Path | None,
    model: str,
    threads: int | None,
    force: bool,
    overwrite: bool,
) -> Report:
    """Segment a scan, write labels, table and sidecar and what else is asked for.

    Raises
    ------
    HailError
        If anything about the request is wrong, or the scan fails a check; nothing is left behind then.
    """
    read = [real_path(path) for path in (scan_path, brain_mask) if path is not None]
    # A scan's own sidecar holds how it was acquired, and is not ours to replace.
    read += [real_path(sidecar) for sidecar in map(own_sidecar, [scan_path, *read]) if sidecar is not None]
    if paths.labels.is_dir():
        raise InputError(f"{paths.labels} is a folder, expected the name of a file to write", "add a file name to it")
    for path in paths.all():
        require_not_read(path, read)
    require_paths_free(paths, overwrite=overwrite)
    scan = read_scan(ScanRequest(scan_path, paths.labels, brain_mask, label=str(scan_path)))

    from hail_mri.model.weights import weights_hash
    from hail_mri.segmentation.segment import segment

    segmentation = segment(
        scan.volume,
        model=model,
        brain_region=scan.brain_mask,
        keep_probabilities=paths.probabilities is not None,
        threads=threads,
    )
    require_checked(scan_path, segmentation.checks, force=force)
    inputs = SegmentationInputs(scan.file, scan.brain_mask_file, weights_hash(model), tuple(scan.volume.warnings))
    save_segmentation(segmentation, paths, inputs)
    return Report(inputs.warnings, {"Source": segmentation.checks})
