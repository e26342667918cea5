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
# Whether a scan that fails its checks is wanted at all is asked of the checks in the report.
NO_MATTER = ("force",)
_UNKNOWN = {"threads": None, "device": "auto"}  # a choice that was left to the machine: what it took is not told


def earlier_report(request: ScanRequest, settings: HarmonizeSettings, target_files: TargetFiles) -> Report | None:
    """Return what was said of a result that is there, whole, and what this run would make; None if there is none.

    Parameters
    ----------
    request : ScanRequest
    settings : HarmonizeSettings
        Whether they `force` does not matter.
    target_files : TargetFiles
        With its masks, and the reference, if there are any.

    Notes
    -----
    A result that was made before results were checked is as good as this run would make it; that it was not checked is
    one of its warnings.
    """
    told = read_sidecar(request.output)
    report = _report_of(told)
    if report is None or not isinstance(told.get("Sha256"), dict) or not request.output.is_file():
        return None
    try:
        return None if differences(told, request, settings, target_files) else report
    except HailError:  # what is wrong with it will be said when it is its turn
        return None


def differences(
    told: Mapping[str, Any], request: ScanRequest, settings: HarmonizeSettings, target_files: TargetFiles
) -> list[str]:
    """Return in what a result is not what this run would make, in words; nothing if it is.

    Parameters
    ----------
    told : mapping of str to Any
        The sidecar of the result.
    request : ScanRequest
    settings : HarmonizeSettings
    target_files : TargetFiles

    Raises
    ------
    HailError
        If a file that the result depends on cannot be read.
    """
    from hail_mri.model.weights import weights_hash

    found = _other_settings(told.get("Settings"), settings)
    registers = target_files.reference is not None or settings.preset == "paper"
    if ("Registration" in told) != registers:
        found.append(f"it was {'not ' if registers else ''}registered")
    if request.lesion_mask is not None and not _leaves_lesion_out(told):
        found.append("its bias field was estimated with the lesion, and is without it now")
    others = {
        "BrainMask": ("another brain mask", request.brain_mask),
        "LesionMask": ("another lesion mask", request.lesion_mask),
        "TargetMask": ("another brain mask of the target", target_files.brain_mask),
        "TargetLesionMask": ("another lesion mask of the target", target_files.lesion_mask),
        "Reference": ("another reference", target_files.reference),
    }
    now = {name: (words, _sha256(path)) for name, (words, path) in others.items()}
    now["Source"] = ("the source is another", InputFile.read(request.source).sha256)
    now["Target"] = ("the target is another", InputFile.read(target_files.path).sha256)
    now["Weights"] = ("the weights are others", weights_hash(settings.model))
    now["Result"] = ("it was changed since", file_sha256(request.output))
    hashes = told.get("Sha256")
    then = hashes if isinstance(hashes, dict) else {}
    return found + [words for name, (words, sha256) in now.items() if then.get(name) != sha256]


def _leaves_lesion_out(told: Mapping[str, Any]) -> bool:
    """Return whether N4 left the lesion out, if it ran: earlier versions did not, with the same settings and files."""
    bias = told.get("BiasField")
    return not isinstance(bias, dict) or "LeftOut" in bias


def _sha256(path: Path | None) -> str | None:
    """Return the hash of a file; None where there is none, as for a reference that is built in."""
    return None if path is None or not path.exists() else InputFile.read(path).sha256


def _other_settings(told: object, settings: HarmonizeSettings) -> list[str]:
    """Return which settings are not those that a sidecar tells, but for those that change nothing."""
    if not isinstance(told, dict):
        return ["its settings are not known"]
    return [
        f"{name} was {told.get(name)}, and is {value} now"
        for name, value in asdict(settings).items()
        if name not in NO_MATTER
        and told.get(name) != value
        and not (name in _UNKNOWN and _UNKNOWN[name] in (told.get(name), value))
    ]


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
