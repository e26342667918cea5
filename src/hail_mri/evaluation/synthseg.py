"""Tissues by SynthSeg, the paper's choice: FreeSurfer's command `mri_synthseg`, if it is installed.

References
----------
Billot et al.: SynthSeg: segmentation of brain MRI scans of any contrast and resolution without retraining. Medical
Image Analysis 2023, doi:10.1016/j.media.2023.102789. https://surfer.nmr.mgh.harvard.edu/fswiki/SynthSeg
"""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from hail_mri.errors import InputError, MissingFileError
from hail_mri.image.nifti import read_volume
from hail_mri.image.volume import Volume
from hail_mri.provenance.hashes import file_sha256

COMMAND = "mri_synthseg"
SECONDS_AT_MOST = 3600.0  # of a scan; on one CPU core it takes some minutes
LAST_LINES, LAST_LETTERS = 3, 300  # of what the program said, in a message


def synthseg_path() -> Path:
    """Return where FreeSurfer's command is.

    Raises
    ------
    InputError
        If it is not installed.
    """
    found = shutil.which(COMMAND)
    if found is None:
        raise InputError(
            f"segmenting by SynthSeg needs FreeSurfer's {COMMAND}, which is not on the PATH",
            "install FreeSurfer 7.3 or newer and source its SetUpFreeSurfer.sh, or choose --segmentation atropos",
        )
    return Path(found)


def synthseg_version() -> str:
    """Return FreeSurfer's build, or the hash of its command where it has no stamp; empty if it is not installed."""
    found = shutil.which(COMMAND)
    if found is None:
        return ""
    stamp = Path(found).parent.parent / "build-stamp.txt"
    return stamp.read_text(encoding="utf-8").strip() if stamp.is_file() else file_sha256(Path(found))


def segment_by_synthseg(scan_path: Path, *, seconds: float = SECONDS_AT_MOST) -> Volume:
    """Let FreeSurfer's SynthSeg label a scan.

    Parameters
    ----------
    scan_path : Path
        Of the scan, NIfTI or MGH.
    seconds : float
        After which it is stopped, with all that it has started.

    Returns
    -------
    labels : Volume
        FreeSurfer's numbers on SynthSeg's own grid: voxels of 1 mm, whatever those of the scan are.

    Raises
    ------
    InputError
        If it is not installed, fails, takes too long, or leaves no image.
    MissingFileError
        If there is no scan.

    Notes
    -----
    On the CPU with one thread, so that the same scan has the same labels. No shell is involved: paths are arguments.
    """
    command = synthseg_path()
    if not scan_path.is_file():
        raise MissingFileError(f"no scan at {scan_path}", "check its path")
    with tempfile.TemporaryDirectory(prefix="hail-mri-") as folder:
        output, log_path = Path(folder, "labels.nii.gz"), Path(folder, "log.txt")
        # An absolute path cannot be taken for an option, whatever the file is called.
        arguments = [str(command), "--i", str(scan_path.absolute()), "--o", str(output), "--cpu", "--threads", "1"]
        status = _run(arguments, log_path, seconds)
        said = _said(log_path)
        if status is None:
            raise InputError(f"{COMMAND} was stopped after {seconds:g} s{said}", "see whether the machine is too busy")
        if status != 0:
            raise InputError(f"{COMMAND} failed on {scan_path} with exit status {status}{said}", "run it by hand")
        if not output.is_file():
            raise InputError(f"{COMMAND} left no label map of {scan_path}{said}", "run it by hand")
        return read_volume(output)


def _run(arguments: list[str], log_path: Path, seconds: float) -> int | None:
    """Run a program and return its exit status; None if it had to be stopped, with all that it has started."""
    with log_path.open("wb") as log:
        try:
            process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        except OSError as error:
            raise InputError(f"{arguments[0]} cannot be run ({error.strerror})", "check FreeSurfer's folder") from error
        try:
            return process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _said(log_path: Path) -> str:
    """Return the last that a program said, as the end of a sentence."""
    lines = [line.strip() for line in log_path.read_text(encoding="utf-8", errors="replace").splitlines()]
    text = " / ".join([line for line in lines if line][-LAST_LINES:])
    return f"; it said: {text[-LAST_LETTERS:]}" if text else ""
