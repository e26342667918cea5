"""What an earlier run has done already: a result that is there, made of the same files with the same settings."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from hail_mri.apps.requests import ScanRequest
from hail_mri.errors import HailError
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.provenance.hashes import InputFile, file_sha256
from hail_mri.provenance.sidecar import read_sidecar

# What decides whether, where and how fast, not what.
NO_MATTER = ("device", "threads", "force")


def is_done(
    request: ScanRequest, target: InputFile, settings: HarmonizeSettings, target_mask: Path | None = None
) -> bool:
    """Return whether the result of a request is there, whole, and what this run would make.

    Parameters
    ----------
    request : ScanRequest
    target : InputFile
        The target scan or style card, with its hash.
    settings : HarmonizeSettings
    target_mask : Path or None
        Brain mask of the target.
    """
    told = read_sidecar(request.output)
    hashes = told.get("Sha256")
    if not isinstance(hashes, dict) or not request.output.is_file() or not _same_settings(told, settings):
        return False
    from hail_mri.model.weights import weights_hash

    try:
        source = InputFile.read(request.source).sha256
        masks = [None if p is None else InputFile.read(p).sha256 for p in (request.brain_mask, target_mask)]
    except HailError:  # what is wrong with it will be said when it is its turn
        return False
    expected = {
        "Source": source,
        "Target": target.sha256,
        "BrainMask": masks[0],
        "TargetMask": masks[1],
        "Weights": weights_hash(settings.model),
        "Result": file_sha256(request.output),
    }
    return all(hashes.get(name) == sha256 for name, sha256 in expected.items())


def _same_settings(told: dict[str, Any], settings: HarmonizeSettings) -> bool:
    """Compare the settings that a sidecar tells with those of this run, but for those that change nothing."""
    earlier = told.get("Settings")
    if not isinstance(earlier, dict):
        return False
    return all(earlier.get(name) == value for name, value in asdict(settings).items() if name not in NO_MATTER)
