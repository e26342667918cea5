"""Gzip, in and out of files; and files whose names do not say whether they are compressed."""

import gzip
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from isal import igzip

from hail_mri.errors import InputError

# By zlib, though ISA-L is eight times as fast and its files are as small: twice in some thousand results, on busy
# machines, ISA-L made two other bytes of the same content. Higher levels gain nothing on MRI noise.
COMPRESSION_LEVEL = 1
COMPRESSED_SUFFIXES = (".gz", ".mgz")
GZIP_START = b"\x1f\x8b"
# The size of the header, in both byte orders, is what a NIfTI file begins with; an MGH file begins with its version, 1.
NIFTI_STARTS = tuple(n.to_bytes(4, order) for n in (348, 540) for order in ("little", "big"))
MGH_START = b"\x00\x00\x00\x01"


def is_compressed_by_name(path: Path) -> bool:
    """Tell whether a name is one of a compressed file."""
    return path.name.lower().endswith(COMPRESSED_SUFFIXES)


def check_compression(path: Path) -> None:
    """Refuse a compressed file whose name does not say so, and one that is not, though its name does.

    Parameters
    ----------
    path : pathlib.Path
        A scan; its first four bytes are read.

    Raises
    ------
    InputError
        The hint says which name would be right.
    OSError
        When the file cannot be read.

    Notes
    -----
    Whether the rest is an image is not looked at.
    """
    with path.open("rb") as file:
        start = file.read(4)
    is_gzip = start.startswith(GZIP_START)
    if is_gzip and not is_compressed_by_name(path):
        raise InputError(f"{path} is a gzip file, expected one without compression by its name", _renaming(path, start))
    if is_compressed_by_name(path) and not is_gzip:
        kind = "a NIfTI image without compression" if start in NIFTI_STARTS else ""
        kind = "an MGH image without compression" if start == MGH_START else kind
        hint = _renaming(path, start) if kind else "copy or download it again, or check how it was made"
        raise InputError(f"{path} is not a gzip file but {kind or 'something else'}, expected one by its name", hint)


def decompressed(path: Path) -> Any:
    """Open a scan for reading; ISA-L inflates about twice as fast as zlib."""
    return igzip.open(path, "rb") if is_compressed_by_name(path) else path.open("rb")


def compressed(file: Any, path: Path) -> Any:
    """Wrap an open file so that it is compressed if its final name says so."""
    if not is_compressed_by_name(path):
        return nullcontext(file)
    # No name and no time in the gzip header: the same scan gives the same bytes.
    return gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=COMPRESSION_LEVEL, mtime=0)


def _renaming(path: Path, start: bytes) -> str:
    """Say which name a file should have."""
    stem = path.name
    for suffix in (".gz", ".nii", ".mgz", ".mgh"):
        stem = stem[: -len(suffix)] if stem.lower().endswith(suffix) else stem
    suffix = ".mgh" if start == MGH_START else ".nii"
    if start.startswith(GZIP_START):
        suffix = ".mgz" if path.name.lower().endswith(".mgh") else ".nii.gz"
    return f"rename it to {stem}{suffix}"
