"""What an earlier run has done already: a result that is there, made of the same files with the same settings."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from hail_mri.apps.requests import ScanRequest
from hail_mri.apps.scan import Report
from hail_mri.apps.scan_files import TargetFiles
from hail_mri.errors import HailError
from hail_mri.harmonize.check import Check, Verdict
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.provenance.hashes import InputFile, file_sha256
from hail_mri.provenance.sidecar import read_sidecar

PARTS = ("Source", "Target", "Result")
NOT_CHECKED = "The result was made by a version that did not check results: --overwrite makes it again and checks it."
# What decides whether, where and how fast, not what. Whether a scan that fails its checks is wanted at all is asked of
# the checks in the report.
NO_MATTER = ("device", "threads", "force")


def earlier_report(
    request: ScanRequest, target: InputFile, settings: HarmonizeSettings, target_files: TargetFiles
) -> Report | None:
    """Return what was said of a result that is there, whole, and what this run would make; None if there is none.

    Parameters
    ----------
    request : ScanRequest
    target : InputFile
        The target scan or style card, with its hash.
    settings : HarmonizeSettings
        Whether they `force` does not matter.
    target_files : TargetFiles
        Its masks, and the reference, if there are any.

    Notes
    -----
    A result that was made before results were checked is as good as this run would make it; that it was not checked is
    one of its warnings.
    """
    told = read_sidecar(request.output)
    report = _report_of(told)
    hashes = told.get("Sha256")
    if report is None or not isinstance(hashes, dict) or not request.output.is_file():
        return None
    registers = target_files.reference is not None or settings.preset == "paper"
    if not _same_settings(told, settings) or ("Registration" in told) != registers:
        return None
    from hail_mri.model.weights import weights_hash

    others = {
        "BrainMask": request.brain_mask,
        "LesionMask": request.lesion_mask,
        "TargetMask": target_files.brain_mask,
        "TargetLesionMask": target_files.lesion_mask,
        "Reference": target_files.reference,
    }
    try:
        expected = {name: _sha256(path) for name, path in others.items()}
        expected["Source"] = InputFile.read(request.source).sha256
    except HailError:  # what is wrong with it will be said when it is its turn
        return None
    expected |= {
        "Target": target.sha256,
        "Weights": weights_hash(settings.model),
        "Result": file_sha256(request.output),
    }
    return report if all(hashes.get(name) == sha256 for name, sha256 in expected.items()) else None


def _sha256(path: Path | None) -> str | None:
    """Return the hash of a file; None where there is none, as for a reference that is built in."""
    return None if path is None or not path.exists() else InputFile.read(path).sha256


def _same_settings(told: Mapping[str, Any], settings: HarmonizeSettings) -> bool:
    """Compare the settings that a sidecar tells with those of this run, but for those that change nothing."""
    earlier = told.get("Settings")
    if not isinstance(earlier, dict):
        return False
    return all(earlier.get(name) == value for name, value in asdict(settings).items() if name not in NO_MATTER)


def _report_of(told: Mapping[str, Any]) -> Report | None:
    """Return the warnings and checks that a sidecar tells; None if they are not as we write them."""
    warnings, checks = told.get("Warnings"), told.get("Checks")
    if not isinstance(warnings, list) or not isinstance(checks, dict) or not set(checks) >= {"Source", "Target"}:
        return None
    if "Result" not in checks:
        warnings = [*warnings, NOT_CHECKED]
    try:
        found = {name: tuple(Check(**each) for each in checks.get(name, ())) for name in PARTS}
    except TypeError:
        return None
    texts = [*warnings, *(text for each in found.values() for check in each for text in asdict(check).values())]
    known = all(check.verdict in get_args(Verdict) for each in found.values() for check in each)
    return Report(tuple(warnings), found) if known and all(isinstance(text, str) for text in texts) else None
