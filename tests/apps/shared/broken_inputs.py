"""A data set of one good scan and of what is found in folders of scans besides: broken, odd, or called strangely.

Each kind says what becomes of it. What is readable but no T1-weighted head fails its checks, and is done with
`--force`.
"""

import gzip
import hashlib
import os
import socket
import stat
import struct
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import nibabel as nib
import numpy as np

Becomes = Literal["done", "failed", "fails checks", "skipped", "left out"]
Maker = Callable[[Path, nib.Nifti1Image], object]


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Attributes
    ----------
    name : str
        Of the file.
    what : str
        In a few words.
    make : callable
        Is given the path and a good head.
    becomes : Becomes
        "left out": it is no image by its name, and not listed.
    message : str
        A part of the message in the table of results.
    """

    name: str
    what: str
    make: Maker
    becomes: Becomes
    message: str = ""


def write_data_set(folder: Path, outside: Path, head: nib.Nifti1Image, kinds: Sequence[Kind]) -> list[Kind]:
    """Write kinds of input into a folder, and what links lead to outside of it; return those that could be made."""
    folder.mkdir(parents=True)
    outside.mkdir(parents=True)
    nib.save(head, outside / "elsewhere.nii.gz")
    (outside / "cohort").mkdir()
    nib.save(head, outside / "cohort/of-a-linked-folder.nii.gz")
    made = []
    for kind in kinds:
        try:
            kind.make(folder / kind.name, head)
        except OSError:  # a file system that has no such names, or a user who is above permissions
            continue
        made.append(kind)
    return made


def snapshot(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return everything below a folder, links not followed: kind, size, time of the last change, and content."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent) / name for name in (*folders, *files)):
            status = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
            link = path.readlink() if path.is_symlink() else None
            digest = hashlib.sha256(content).hexdigest()
            found[str(path)] = (status.st_mode, status.st_size, status.st_mtime_ns, link, digest)
    return found


def content(data: bytes) -> Maker:
    """Return a maker of a file with these bytes."""
    return lambda path, _: path.write_bytes(data)


def voxels(change: Callable[[np.ndarray], np.ndarray]) -> Maker:
    """Return a maker of the head with other voxels."""
    return lambda path, head: nib.save(nib.Nifti1Image(change(as_float(head)), head.affine), path)


def as_float(head: nib.Nifti1Image) -> np.ndarray:
    """Return the intensities of a head."""
    return np.asarray(head.dataobj, np.float32)


def typed(dtype: object) -> Maker:
    """Return a maker of the head as numbers of another type."""
    return voxels(lambda data: np.rint(data * (200 / data.max())).astype(dtype))


def one_voxel(value: float, dtype: type = np.float32) -> Maker:
    """Return a maker of the head with one odd voxel."""

    def change(data: np.ndarray) -> np.ndarray:
        data = data.astype(dtype)
        data[tuple(n // 2 for n in data.shape)] = value
        return data

    return voxels(change)


def patched(*fields: tuple[int, bytes]) -> Maker:
    """Return a maker of the head, not compressed, with other bytes at some places of its header (see nifti1.h)."""

    def make(path: Path, head: nib.Nifti1Image) -> None:
        image = nib.Nifti1Image(as_float(head), head.affine)
        data = bytearray(image.to_bytes())
        for offset, new in fields:
            data[offset : offset + len(new)] = new
        path.write_bytes(gzip.compress(bytes(data), mtime=0) if path.name.endswith(".gz") else bytes(data))

    return make


def floats(*values: float) -> bytes:
    """Return numbers as a header holds them."""
    return struct.pack(f"<{len(values)}f", *values)


def shorts(*values: int) -> bytes:
    """Return whole numbers as a header holds them."""
    return struct.pack(f"<{len(values)}h", *values)


def cut(share: float) -> Maker:
    """Return a maker of a file that ends early."""

    def make(path: Path, head: nib.Nifti1Image) -> None:
        nib.save(head, path)
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    return make


def flipped_byte(path: Path, head: nib.Nifti1Image) -> None:
    """Write a compressed file with one wrong byte."""
    nib.save(head, path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def under_another_name(suffix: str) -> Maker:
    """Return a maker of a whole file under a name for another kind of file."""

    def make(path: Path, head: nib.Nifti1Image) -> None:
        whole = path.with_name(f".whole{suffix}")
        nib.save(head, whole)
        whole.rename(path)

    return make


def whole(path: Path, head: nib.Nifti1Image) -> None:
    """Write the head as it is, under any name."""
    suffix = ".nii.gz" if path.name.lower().endswith(".gz") else ".nii"
    under_another_name(suffix)(path, head)


def members(path: Path, head: nib.Nifti1Image) -> None:
    """Write a compressed file of two parts, as some programs do."""
    data = nib.Nifti1Image(as_float(head), head.affine).to_bytes()
    path.write_bytes(gzip.compress(data[:1000]) + gzip.compress(data[1000:]))


def zipped(path: Path, _: nib.Nifti1Image) -> None:
    """Write a ZIP archive."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("scan.nii", b"scan" * 1000)


def big_endian(path: Path, head: nib.Nifti1Image) -> None:
    """Write the head as machines of other days did."""
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(np.float32)
    nib.save(nib.Nifti1Image(as_float(head), head.affine, header), path)


def nifti2(path: Path, head: nib.Nifti1Image) -> None:
    """Write NIfTI-2."""
    nib.save(nib.Nifti2Image(as_float(head), head.affine), path)


def without_codes(path: Path, head: nib.Nifti1Image) -> None:
    """Write a head whose header does not say where it is."""
    image = nib.Nifti1Image(as_float(head), head.affine)
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    nib.save(image, path)


def affine(change: Callable[[np.ndarray], np.ndarray]) -> Maker:
    """Return a maker of the head at another place."""
    return lambda path, head: nib.save(nib.Nifti1Image(as_float(head), change(np.array(head.affine))), path)


def colours(*names: str) -> Maker:
    """Return a maker of a picture in colours."""
    dtype = np.dtype([(name, "u1") for name in names])
    return lambda path, _: nib.save(nib.Nifti1Image(np.zeros((16, 16, 16), dtype), np.eye(4)), path)


def inverted(data: np.ndarray) -> np.ndarray:
    """Return a head as T2-weighting shows it, more or less: fluid bright, white matter dark, air dark."""
    return np.where(data > 0.08 * data.max(), 1.1 * data.max() - data, data)


def ball(data: np.ndarray) -> np.ndarray:
    """Return a bottle of water."""
    axes = np.meshgrid(*(np.linspace(-1.5, 1.5, n) for n in data.shape), indexing="ij")
    noise = np.random.default_rng(0).uniform(0, 20, data.shape)
    return ((sum(axis**2 for axis in axes) < 1) * 800 + noise).astype(np.float32)


def noise(data: np.ndarray) -> np.ndarray:
    """Return noise."""
    return np.random.default_rng(0).normal(300, 50, data.shape).astype(np.float32)


def wrapped(data: np.ndarray) -> np.ndarray:
    """Return a head whose intensities were too large for their type, and went on from the smallest."""
    return (data / data.max() * 90_000).astype(np.int64).astype(np.int16)


def linked(target: str) -> Maker:
    """Return a maker of a link."""
    return lambda path, _: path.symlink_to(target)


def listening(path: Path, _: nib.Nifti1Image) -> None:
    """Make a socket; its address may be short only, so that it is made elsewhere."""
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(path.name)
    finally:
        os.chdir(here)


def folder_of(name: str) -> Maker:
    """Return a maker of a folder with the head in it."""

    def make(path: Path, head: nib.Nifti1Image) -> None:
        path.mkdir()
        nib.save(head, path / name)

    return make


def forbidden(path: Path, head: nib.Nifti1Image) -> None:
    """Write a file that may not be read."""
    if os.geteuid() == 0:
        raise PermissionError("nothing is forbidden to root")
    nib.save(head, path)
    path.chmod(0)


def lower_half(data: np.ndarray) -> np.ndarray:
    """Return the lower half of a head alone."""
    return data[:, :, : data.shape[2] // 2]


HUGE = shorts(3, 30_000, 30_000, 30_000, 1, 1, 1, 1)
DIM, DATATYPE, PIXDIM, VOX_OFFSET, SLOPE, INTERCEPT = 40, 70, 76, 108, 112, 116
QFORM_CODE, QUATERNION, SFORM, MAGIC = 252, 256, 280, 344
TENTH = np.diag([0.1, 0.1, 0.1, 1.0])
LONGEST = 255  # bytes of a name, on most file systems

KINDS = [
    Kind("good.nii.gz", "a good scan", whole, "done"),
    # Files that are not what their names say.
    Kind("empty.nii.gz", "an empty file", content(b""), "failed", "is empty"),
    Kind("text.nii.gz", "text", content(b"subject,age\n1,30\n" * 40), "failed", "not a gzip file"),
    Kind(
        "zipped-text.nii.gz", "compressed text", content(gzip.compress(b"subject,age\n" * 99)), "failed", "not a NIfTI"
    ),
    Kind("zip.nii.gz", "a ZIP archive", zipped, "failed", "not a gzip file"),
    Kind("picture.nii", "a PNG picture", content(b"\x89PNG\r\n\x1a\n" + bytes(600)), "failed", "not a NIfTI"),
    Kind("dicom.nii", "DICOM", content(bytes(128) + b"DICM" + bytes(600)), "failed", "not a NIfTI"),
    Kind("zeros.nii", "zeros", content(bytes(4096)), "failed", "not a NIfTI"),
    Kind("not-compressed.nii.gz", "NIfTI named as gzip", under_another_name(".nii"), "failed", "not a gzip file"),
    Kind("compressed.nii", "gzip named as NIfTI", under_another_name(".nii.gz"), "failed", "is a gzip file"),
    Kind("freesurfer.nii", "MGH named as NIfTI", under_another_name(".mgh"), "failed", "not a NIfTI"),
    Kind("cut.nii.gz", "a gzip file that ends early", cut(0.7), "failed", "damaged or cut short"),
    Kind("ends-early.nii", "a NIfTI file that ends early", cut(0.7), "failed", "damaged or cut short"),
    Kind("short.mgz", "an MGH file that ends early", cut(0.7), "failed", "damaged or cut short"),
    Kind("begun.nii.gz", "ten bytes of a gzip file", content(gzip.compress(b"scan")[:10]), "failed", "begun.nii.gz"),
    Kind("header.nii", "a header without voxels", cut(0.0001), "failed", "header.nii"),
    Kind("flipped.nii.gz", "a wrong byte in a gzip file", flipped_byte, "failed", "damaged"),
    Kind("members.nii.gz", "gzip in two parts", members, "done"),
    # Headers.
    Kind("four.nii.gz", "four volumes", voxels(lambda d: np.stack([d] * 4, -1)), "failed", "4 dimensions"),
    Kind("one-of-four.nii.gz", "a fourth axis of length 1", voxels(lambda d: d[..., None]), "done", "were dropped"),
    Kind("five.nii.gz", "five axes", voxels(lambda d: np.stack([d[..., None]] * 2, -1)), "failed", "5 dimensions"),
    Kind("flat.nii.gz", "a slice", voxels(lambda d: d[:, :, 30]), "failed", "flat.nii.gz has"),
    Kind("thin.nii.gz", "five slices", voxels(lambda d: d[:, :, 30:35]), "failed", "at least 8"),
    Kind("huge.nii", "a header that tells of 30,000 voxels cubed", patched((DIM, HUGE)), "failed", "huge.nii"),
    Kind("vast.nii.gz", "the same, compressed", patched((DIM, HUGE)), "failed", "vast.nii.gz"),
    Kind("no-voxels.nii", "an axis of length 0", patched((DIM + 2, shorts(0))), "failed", "no-voxels.nii"),
    Kind("negative.nii", "an axis of length -5", patched((DIM + 2, shorts(-5))), "failed", "negative.nii"),
    Kind("no-axes.nii", "no axes", patched((DIM, shorts(0))), "failed", "no-axes.nii"),
    Kind("no-magic.nii", "a wrong magic number", patched((MAGIC, b"abcd")), "failed", "no-magic.nii"),
    Kind("pair.nii", "the header of a pair of files", patched((MAGIC, b"ni1\0")), "done"),
    Kind("type.nii", "an unknown type of numbers", patched((DATATYPE, shorts(999))), "failed", "type.nii"),
    Kind("offset.nii", "voxels beyond the end", patched((VOX_OFFSET, floats(1e9))), "failed", "offset.nii"),
    Kind(
        "flat-voxels.nii",
        "voxels of size 0",
        patched((PIXDIM + 4, floats(0, 0, 0)), (QFORM_CODE, shorts(1, 0))),
        "fails checks",
    ),
    Kind("singular.nii", "a singular affine", patched((SFORM, floats(*[0.0] * 12))), "failed", "singular.nii"),
    Kind("nowhere.nii", "NaN in the affine", patched((SFORM, floats(np.nan))), "failed", "nowhere.nii"),
    Kind(
        "quaternion.nii",
        "a quaternion longer than 1",
        patched((QFORM_CODE, shorts(1, 0)), (QUATERNION, floats(5, 5, 5))),
        "failed",
        "quaternion.nii",
    ),
    Kind("big-endian.nii.gz", "numbers of other machines", big_endian, "done"),
    Kind("nifti2.nii.gz", "NIfTI-2", nifti2, "done"),
    Kind("no-codes.nii.gz", "a header that does not say where it is", without_codes, "done", "code"),
    Kind("no-slope.nii", "slope and intercept NaN", patched((SLOPE, floats(np.nan, np.nan))), "done"),
    Kind("steep.nii", "slope 1e38", patched((SLOPE, floats(1e38, 0))), "failed", "steep.nii"),
    Kind(
        "centimetres.nii.gz", "voxels in centimetres", affine(lambda a: np.diag([0.1, 0.1, 0.1, 1]) @ a), "fails checks"
    ),
    # Voxels.
    Kind("nan.nii.gz", "NaN in a voxel", one_voxel(np.nan), "failed", "NaN or infinity in 1 of"),
    Kind("inf.nii.gz", "infinity in a voxel", one_voxel(np.inf), "failed", "NaN or infinity in 1 of"),
    Kind("beyond.nii.gz", "1e300 in a voxel", one_voxel(1e300, np.float64), "failed", "up to 1e+300"),
    Kind("constant.nii.gz", "one intensity", voxels(lambda d: np.full_like(d, 7)), "failed", "same intensity"),
    Kind("black.nii.gz", "zeros", voxels(np.zeros_like), "failed", "0 everywhere"),
    Kind("complex.nii.gz", "complex numbers", typed(np.complex64), "failed", "complex"),
    Kind("rgb.nii.gz", "colours", colours("R", "G", "B"), "failed", "colours"),
    Kind("rgba.nii.gz", "colours with opacity", colours("R", "G", "B", "A"), "failed", "colours"),
    Kind("bytes.nii.gz", "whole numbers up to 200", typed(np.uint8), "done"),
    Kind("int16.nii.gz", "whole numbers of two bytes", typed(np.int16), "done"),
    Kind("doubles.nii.gz", "numbers of eight bytes", typed(np.float64), "done"),
    Kind("offset-1024.nii.gz", "air at -1024", voxels(lambda d: d - 1024), "done"),
    Kind("wrapped.nii.gz", "integers that overflowed", voxels(wrapped), "fails checks"),
    Kind("binary.nii.gz", "a mask", voxels(lambda d: (d > 0.1 * d.max()).astype(np.uint8)), "fails checks"),
    Kind("noise.nii.gz", "noise", voxels(noise), "fails checks"),
    Kind("bottle.nii.gz", "a bottle of water", voxels(ball), "fails checks"),
    Kind("like-t2.nii.gz", "contrast as in T2-weighted scans", voxels(inverted), "fails checks"),
    Kind(
        "upside-down.nii.gz",
        "a head that stands on its head",
        affine(lambda a: np.diag([1, 1, -1, 1]) @ a),
        "fails checks",
    ),
    Kind("lower-half.nii.gz", "the lower half of a head", voxels(lower_half), "done", "brain volume"),
    # What else a name can stand for.
    Kind("forbidden.nii.gz", "a file that may not be read", forbidden, "failed", "may not be read"),
    Kind("dangling.nii.gz", "a link that leads nowhere", linked("gone.nii.gz"), "failed", "does not exist"),
    Kind("circle.nii.gz", "a link to itself", linked("circle.nii.gz"), "failed", "Too many levels"),
    Kind("link.nii.gz", "a link to a scan elsewhere", linked("../elsewhere/elsewhere.nii.gz"), "done"),
    Kind("cohort", "a link to a folder elsewhere", linked("../elsewhere/cohort"), "left out"),
    Kind("round", "a link to the folder that it lies in", linked("."), "skipped", "taken already"),
    Kind("pipe.nii.gz", "a pipe", lambda path, _: os.mkfifo(path), "failed", "is a pipe"),
    Kind("socket.nii.gz", "a socket", listening, "failed", "is a socket"),
    Kind("device.nii", "a link to an endless device", linked("/dev/zero"), "failed", "is a device"),
    Kind("folder.nii.gz", "a folder with the name of an image", lambda path, _: path.mkdir(), "left out"),
    Kind("scan_mask.nii.gz", "a mask by its name", whole, "skipped", "its name ends in mask"),
    Kind("notes.txt", "no image by its name", content(b"notes"), "left out"),
    Kind("scan.dcm", "a format that is not read", content(b"DICM"), "left out"),
    Kind("._good.nii.gz", "what macOS leaves behind", content(b"Mac OS X"), "left out"),
    # Names.
    Kind("two  spaces .nii.gz", "spaces", whole, "done"),
    Kind("scän 脳 😀.nii.gz", "letters of other languages", whole, "done"),
    Kind("\"double\" 'single' `back`.nii.gz", "quotes", whole, "done"),
    Kind("two\nlines.nii.gz", "a newline", whole, "done"),
    Kind("a\ttab.nii.gz", "a tab", whole, "done"),
    Kind("--force.nii.gz", "leading dashes", whole, "done"),
    Kind("$(touch gone); echo *.nii.gz", "commands of a shell", whole, "done"),
    Kind("100% {of} it.nii.gz", "signs of format strings", whole, "done"),
    Kind("=cmd.nii.gz", "a formula of spreadsheets", whole, "done"),
    Kind("x" * (LONGEST - 7) + ".nii.gz", "the longest name there is", whole, "done"),
    Kind("LOUD.NII.GZ", "capital letters", whole, "done"),
    Kind(os.fsdecode(b"latin-\xe9.nii.gz"), "bytes that are no UTF-8", whole, "done"),
]
