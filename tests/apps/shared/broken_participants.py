"""A BIDS data set of broken and odd input: a participant of each kind of file, and of each kind that only BIDS has."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib

from broken_inputs import KINDS, LONGEST, Becomes, Kind, Maker, content, linked, whole

ParticipantMaker = Callable[[Path, nib.Nifti1Image], object]
OTHER_NAME = "not called as BIDS has it"
NO_SCAN = "no T1w scan"
HOSTILE = "<img src=x onerror=alert(1)>"


@dataclass(frozen=True)
class ParticipantKind:
    """One kind of participant.

    Attributes
    ----------
    label : str
    what : str
        In a few words.
    make : callable
        Is given the folder of the participant, which is not there, and a good head.
    becomes : Becomes
        What every scan becomes. "left out": there is no row.
    message : str
        A part of the message in the table of results.
    scan_kind : str
        Name of the kind of `broken_inputs`; empty for what only BIDS has.
    """

    label: str
    what: str
    make: ParticipantMaker
    becomes: Becomes
    message: str = ""
    scan_kind: str = ""


def write_study(root: Path, head: nib.Nifti1Image, kinds: Sequence[ParticipantKind]) -> list[ParticipantKind]:
    """Write a data set, and beside it `elsewhere`, where links lead to; return the kinds that could be made."""
    root.mkdir(parents=True)
    (root / "dataset_description.json").write_text(json.dumps({"Name": "broken", "BIDSVersion": "1.10.0"}))
    outside = root.with_name("elsewhere")
    (outside / "anat").mkdir(parents=True)
    nib.save(head, outside / "elsewhere.nii.gz")
    nib.save(head, outside / "anat/sub-cohort_T1w.nii.gz")
    made = []
    for kind in kinds:
        folder = root / f"sub-{kind.label}"
        try:
            kind.make(folder, head)
        except OSError:  # a file system that has no such names, or a user who is above permissions
            shutil.rmtree(folder, ignore_errors=True)
            continue
        made.append(kind)
    return made


def scan_in(folder: Path) -> Path:
    """Return where the scan of a participant is, in a new folder."""
    (folder / "anat").mkdir(parents=True)
    return folder / "anat" / f"{folder.name}_T1w.nii.gz"


def of_a_scan(kind: Kind) -> ParticipantKind:
    """Return a participant whose scan is of a kind."""
    is_nifti = ".nii" in kind.name.lower()
    suffix = kind.name[kind.name.lower().index(".nii") :] if is_nifti else Path(kind.name).suffix
    stem = kind.name.removesuffix(suffix)
    label = "x" * (LONGEST - len(f"sub-_T1w{suffix}")) if len(kind.name) == LONGEST else stem.replace("-", "")
    becomes, message, make = IN_BIDS.get(kind.name, (kind.becomes, kind.message, kind.make))
    message = message.replace(kind.name, f"sub-{label}_T1w{suffix}")
    return ParticipantKind(label, kind.what, named(suffix, make), becomes, message, scan_kind=kind.name)


def named(suffix: str, make: Maker) -> ParticipantMaker:
    """Return a maker of a participant with a scan, of a maker of a file."""

    def make_participant(folder: Path, head: nib.Nifti1Image) -> None:
        make(scan_in(folder).with_name(f"{folder.name}_T1w{suffix}"), head)

    return make_participant


def beside_a_scan(ending: str, make: Maker) -> ParticipantMaker:
    """Return a maker of a participant with a good scan and a side file.

    Its name ends so, and it is of the scan (`T1w.json`) or of the participant.
    """

    def make_participant(folder: Path, head: nib.Nifti1Image) -> None:
        scan = scan_in(folder)
        whole(scan, head)
        make((scan.parent if ending == "T1w.json" else folder) / f"{folder.name}_{ending}", head)

    return make_participant


def two_sidecars(folder: Path, head: nib.Nifti1Image) -> None:
    """Write a scan of which two sidecars in one folder tell."""
    whole(scan_in(folder), head)
    for name in ("T1w.json", f"{folder.name}_T1w.json"):
        (folder / "anat" / name).write_text("{}")


def twins(folder: Path, head: nib.Nifti1Image) -> None:
    """Write a scan with and without compression."""
    scan = scan_in(folder)
    whole(scan, head)
    whole(scan.with_name(f"{folder.name}_T1w.nii"), head)


def with_sessions(folder: Path, head: nib.Nifti1Image) -> None:
    """Write a scan in a session, and a table of sessions whose second line is too short."""
    (folder / "ses-1/anat").mkdir(parents=True)
    whole(folder / f"ses-1/anat/{folder.name}_ses-1_T1w.nii.gz", head)
    (folder / f"{folder.name}_sessions.tsv").write_text("session_id\tsite\nses-1\n")


def with_entities(*entities: str, suffix: str = ".nii.gz", make: Maker = whole) -> ParticipantMaker:
    """Return a maker of a participant whose scan has more in its name."""

    def make_participant(folder: Path, head: nib.Nifti1Image) -> None:
        make(scan_in(folder).with_name("_".join((folder.name, *entities, f"T1w{suffix}"))), head)

    return make_participant


def of_another(name: str) -> ParticipantMaker:
    """Return a maker of a participant with a scan of this path."""

    def make_participant(folder: Path, head: nib.Nifti1Image) -> None:
        path = folder / name.format(folder.name)
        path.parent.mkdir(parents=True)
        whole(path, head)

    return make_participant


def macos(path: Path, _: nib.Nifti1Image) -> None:
    """Write what macOS leaves behind, with no scan beside."""
    path.with_name(f"._{path.name}").write_bytes(b"Mac OS X")


def round_in_circles(path: Path, _: nib.Nifti1Image) -> None:
    """Write a link to the folder that it lies in."""
    (path.parent / "round").symlink_to(".")


def mask(path: Path, head: nib.Nifti1Image) -> None:
    """Write a mask by its name."""
    whole(path.with_name(path.name.replace("T1w", "desc-brain_mask")), head)


def linked_participant(folder: Path, _: nib.Nifti1Image) -> None:
    """Write a link to a participant's folder elsewhere."""
    folder.symlink_to("../elsewhere")


# What becomes of these in a BIDS data set: names of labels are letters and digits, and suffixes are two.
IN_BIDS: dict[str, tuple[Becomes, str, Maker]] = {
    "short.mgz": ("skipped", OTHER_NAME, whole),
    "circle.nii.gz": ("failed", "Too many levels", lambda path, _: path.symlink_to(path.name)),
    "link.nii.gz": ("done", "", linked("../../../elsewhere/elsewhere.nii.gz")),
    "round": ("skipped", NO_SCAN, round_in_circles),
    "folder.nii.gz": ("failed", "is a folder", lambda path, _: path.mkdir()),
    "scan_mask.nii.gz": ("skipped", NO_SCAN, mask),
    "notes.txt": ("skipped", NO_SCAN, content(b"notes")),
    "scan.dcm": ("skipped", NO_SCAN, content(b"DICM")),
    "._good.nii.gz": ("skipped", NO_SCAN, macos),
    "x" * (LONGEST - 7) + ".nii.gz": ("failed", "File name too long", whole),
    "LOUD.NII.GZ": ("skipped", OTHER_NAME, whole),
    **{
        kind.name: ("skipped", OTHER_NAME, whole)
        for kind in KINDS
        if not kind.name.partition(".nii")[0].replace("-", "").replace("_", "").isascii()
        or any(sign in kind.name for sign in " '\"`\n\t$%=")
    },
}
# A link to a whole participant is not a kind of file.
OF_A_SCAN = [
    *(of_a_scan(kind) for kind in KINDS if kind.name != "cohort"),
    ParticipantKind("cohort", "a link to a folder elsewhere", linked_participant, "done", scan_kind="cohort"),
]
ODD_VALUES = {"Manufacturer": {"a": [1]}, "MagneticFieldStrength": 1e308, "InstitutionName": None}
OF_BIDS = [
    ParticipantKind(
        "jsoncut", "a sidecar that ends early", beside_a_scan("T1w.json", content(b'{"Man')), "failed", "as JSON"
    ),
    ParticipantKind("jsonempty", "an empty sidecar", beside_a_scan("T1w.json", content(b"")), "failed", "as JSON"),
    ParticipantKind(
        "jsonlist", "a list as sidecar", beside_a_scan("T1w.json", content(b"[1]")), "failed", "holds a list"
    ),
    ParticipantKind(
        "jsonlatin", "a sidecar that is no UTF-8", beside_a_scan("T1w.json", content(b'"\xe9"')), "failed", "as JSON"
    ),
    ParticipantKind(
        "jsondeep",
        "a sidecar of 100,000 brackets",
        beside_a_scan("T1w.json", content(b"[" * 100_000)),
        "failed",
        "as JSON",
    ),
    ParticipantKind(
        "jsonfolder",
        "a folder as sidecar",
        beside_a_scan("T1w.json", lambda path, _: path.mkdir()),
        "failed",
        "is a folder",
    ),
    ParticipantKind(
        "jsonpipe",
        "a pipe as sidecar",
        beside_a_scan("T1w.json", lambda path, _: os.mkfifo(path)),
        "failed",
        "is a pipe",
    ),
    ParticipantKind(
        "jsondevice",
        "an endless device as sidecar",
        beside_a_scan("T1w.json", linked("/dev/zero")),
        "failed",
        "is a device",
    ),
    ParticipantKind(
        "jsongone",
        "a sidecar that is a link to nowhere",
        beside_a_scan("T1w.json", linked("gone.json")),
        "failed",
        "does not exist",
    ),
    ParticipantKind(
        "jsoncircle",
        "a sidecar that is a link to itself",
        beside_a_scan("T1w.json", linked("sub-jsoncircle_T1w.json")),
        "failed",
        "Too many levels",
    ),
    ParticipantKind("jsontwo", "two sidecars of one scan", two_sidecars, "failed", "both tell of"),
    ParticipantKind(
        "jsonodd",
        "a sidecar of strange values",
        beside_a_scan("T1w.json", content(json.dumps(ODD_VALUES).encode())),
        "done",
    ),
    ParticipantKind(
        "jsonhostile",
        "HTML in a sidecar",
        beside_a_scan("T1w.json", content(json.dumps({"Manufacturer": HOSTILE}).encode())),
        "done",
    ),
    ParticipantKind(
        "scanslatin",
        "a table of scans that is no UTF-8",
        beside_a_scan("scans.tsv", content(b"filename\n\xff\xfe\n")),
        "failed",
        "as a table",
    ),
    ParticipantKind(
        "scansempty", "an empty table of scans", beside_a_scan("scans.tsv", content(b"")), "failed", "of an empty file"
    ),
    ParticipantKind(
        "scanshostile",
        "HTML in a table of scans that names none",
        beside_a_scan("scans.tsv", content(f"{HOSTILE}\n".encode())),
        "failed",
        f"has the columns {HOSTILE}",
    ),
    ParticipantKind(
        "scansshort",
        "a line with too few cells",
        beside_a_scan("scans.tsv", content(b"filename\tage\nx\n")),
        "failed",
        "line 2 has 1 cells",
    ),
    ParticipantKind(
        "scanstwice",
        "a scan that a table has twice",
        beside_a_scan("scans.tsv", content(b"filename\nx\nx\n")),
        "failed",
        "x is there twice",
    ),
    ParticipantKind(
        "scansnameless",
        "a scan without a name in a table",
        beside_a_scan("scans.tsv", content(b"filename\tage\n\t3\n")),
        "failed",
        "filename is empty",
    ),
    ParticipantKind(
        "scanswide",
        "a table with a cell of 200,000 letters",
        beside_a_scan("scans.tsv", content(b"filename\n" + b"x" * 200_000)),
        "failed",
        "as a table",
    ),
    ParticipantKind(
        "scansfolder",
        "a folder as table of scans",
        beside_a_scan("scans.tsv", lambda path, _: path.mkdir()),
        "failed",
        "is a folder",
    ),
    ParticipantKind(
        "scanspipe",
        "a pipe as table of scans",
        beside_a_scan("scans.tsv", lambda path, _: os.mkfifo(path)),
        "failed",
        "is a pipe",
    ),
    ParticipantKind(
        "scansdevice",
        "an endless device as table of scans",
        beside_a_scan("scans.tsv", linked("/dev/zero")),
        "failed",
        "is a device",
    ),
    ParticipantKind(
        "scansgone",
        "a table of scans that is a link to nowhere",
        beside_a_scan("scans.tsv", linked("gone.tsv")),
        "failed",
        "does not exist",
    ),
    ParticipantKind(
        "sessionsshort", "a table of sessions with too few cells", with_sessions, "failed", "line 2 has 1 cells"
    ),
    ParticipantKind("twins", "a scan with and without compression", twins, "failed", "would have one result"),
    ParticipantKind("acq", "HTML in the name of a scan", with_entities(f"acq-{HOSTILE}"), "done"),
    ParticipantKind(
        "acqempty",
        "HTML in the name of an empty scan",
        with_entities(f"acq-{HOSTILE}", make=content(b"")),
        "failed",
        "is empty",
    ),
    ParticipantKind("desc", "a derivative by its name", with_entities("desc-preproc"), "skipped", "a derivative"),
    ParticipantKind("phase", "a phase by its name", with_entities("part-phase"), "skipped", "no magnitudes"),
    ParticipantKind(
        "other",
        "a scan of another participant by its name",
        of_another("anat/sub-good_T1w.nii.gz"),
        "skipped",
        "two subjects",
    ),
    ParticipantKind(
        "session",
        "a scan of another session by its name",
        of_another("ses-1/anat/{}_ses-2_T1w.nii.gz"),
        "skipped",
        "it lies in",
    ),
    ParticipantKind("noanat", "a scan that does not lie in anat", of_another("{}_T1w.nii.gz"), "skipped", OTHER_NAME),
    ParticipantKind("t1", "a name that ends in T1", of_another("anat/{}_T1.nii.gz"), "skipped", OTHER_NAME),
    ParticipantKind("t2", "no T1-weighted scan", of_another("anat/{}_T2w.nii.gz"), "skipped", NO_SCAN),
    ParticipantKind("nothing", "an empty folder", lambda folder, _: folder.mkdir(), "skipped", NO_SCAN),
    ParticipantKind("file", "a file in place of a folder", content(b"file"), "left out"),
]
STUDY = [*OF_A_SCAN, *OF_BIDS]
