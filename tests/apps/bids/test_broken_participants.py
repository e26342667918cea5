"""A BIDS data set as one finds it, through both levels of the App: what is broken stops and hides nothing else."""

import csv
import os
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import broken_inputs
import broken_participants
import hail_mri
from hail_mri.image.nifti import save_volume

pytest.importorskip("bids2table")

LIST = Path(__file__).parents[3] / "docs/broken_inputs.md"


@dataclass
class Ended:
    """A data set, and what the level of participants has made of it."""

    root: Path
    kinds: list
    run: subprocess.CompletedProcess[str]
    before: dict
    after: dict

    @property
    def output(self) -> Path:
        return self.root / "out"

    @property
    def rows(self) -> dict[str, list[dict[str, str]]]:
        """Rows of the table by the folders of participants."""
        found: dict[str, list[dict[str, str]]] = {}
        with (self.output / "harmonized.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, dialect="excel-tab"):
                found.setdefault(Path(row["source"]).relative_to("../raw").parts[0], []).append(row)
        return found


@pytest.fixture(scope="module")
def ended(tmp_path_factory, make_head, weights) -> Ended:
    root = tmp_path_factory.mktemp("broken")
    head = make_head()
    image = nib.Nifti1Image(head.data.astype(np.float32), head.affine)
    kinds = broken_participants.write_study(root / "raw", image, broken_participants.STUDY)
    save_volume(make_head(signal=(0, 300, 90, 150, 260, 330)), root / "target.nii.gz")
    before = broken_inputs.snapshot(root)
    command = [sys.executable, "-P", "-m", "hail_mri.apps.bids.cli", "raw", "out", "participant", "--nprocs", "2"]
    command += ["--target", "target.nii.gz", "--model", str(weights), "--force", "--no-reports"]
    environment = os.environ | {"PYTHONPATH": str(Path(hail_mri.__file__).parents[1])}
    run = subprocess.run(
        [*command, "--skip-bids-validation"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
    )
    after = broken_inputs.snapshot(root)
    return Ended(root, kinds, run, before, after)


def shown(name: str) -> str:
    """A name as the table shows it: bytes that are no UTF-8 written out."""
    return name.encode("utf-8", "backslashreplace").decode()


def what_is_wrong(kind, rows: list[dict[str, str]]) -> str:
    told = [(row["status"], row["message"]) for row in rows]
    if kind.becomes == "left out":
        return f"{kind.label}: {told}" if rows else ""
    becomes = "done" if kind.becomes == "fails checks" else kind.becomes  # it is forced
    right = {status for status, _ in told} == {becomes}
    return "" if right and any(kind.message in message for _, message in told) else f"{kind.label}: {told}"


def test_each_participant_ends_with_its_reason_in_the_table_and_all_others_are_done(ended):
    rows = ended.rows

    assert ended.run.returncode == 70, ended.run.stderr
    wrong = [told for kind in ended.kinds if (told := what_is_wrong(kind, rows.get(shown(f"sub-{kind.label}"), [])))]
    assert not wrong, "\n".join(wrong)
    assert set(rows) == {shown(f"sub-{kind.label}") for kind in ended.kinds if kind.becomes != "left out"}
    assert sum(kind.becomes == "failed" for kind in ended.kinds) >= 60


def test_every_result_of_a_broken_study_is_finite_and_no_other_is_there(ended):
    done = [row["output"] for rows in ended.rows.values() for row in rows if row["status"] == "done"]

    assert {str(path.relative_to(ended.output)) for path in ended.output.rglob("*.nii*")} == set(done)
    assert all(np.isfinite(nib.load(ended.output / name).get_fdata()).all() for name in done)


def test_what_is_broken_shows_no_trace_of_an_error_and_is_said_in_one_line_each(ended):
    said = ended.run.stderr

    assert "Traceback" not in said + ended.run.stdout
    assert "internal error" not in said
    assert all(line.startswith("hail-mri: ") for line in said.splitlines())
    n_failed = sum(row["status"] == "failed" for rows in ended.rows.values() for row in rows)
    assert sum(line.startswith("hail-mri: failed: ") for line in said.splitlines()) == n_failed


def test_nothing_but_the_folder_of_results_is_touched(ended):
    after = {name: found for name, found in ended.after.items() if not Path(name).is_relative_to(ended.output)}

    assert after == ended.before


@dataclass
class Page(HTMLParser):
    """The items of lists and the cells of tables in each section of a page, as text; tags and attributes of all."""

    items: dict[str, list[str]] = field(default_factory=dict)
    tags: list[tuple[str, dict]] = field(default_factory=list)

    def __post_init__(self):
        super().__init__()
        self._section, self._text = "", None

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "h2":
            self._section = dict(attrs)["id"]
        if tag in ("li", "tr"):
            self._text = ""

    def handle_data(self, data):
        if self._text is not None:
            self._text += data

    def handle_endtag(self, tag):
        if tag in ("li", "tr") and self._text is not None:
            self.items.setdefault(self._section, []).append(self._text)
            self._text = None


@pytest.fixture(scope="module")
def report(ended, weights, tmp_path_factory) -> tuple[Page, str]:
    """The report of the study, with the same small network to measure, and what the level of the group says."""
    from hail_mri.apps.bids.cli import main

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hail_mri.report.study.measures.MODEL", str(weights))
        said = (tmp_path_factory.mktemp("said") / "err").open("w+")
        patch.setattr(sys, "stderr", said)
        assert main([str(ended.root / "raw"), str(ended.output), "group"]) == 70
    said.seek(0)
    page = Page()
    page.feed((ended.output / "study_report.html").read_text(encoding="utf-8"))
    return page, said.read()


def test_the_report_names_every_failed_scan_with_its_reason(ended, report):
    listed = report[0].items["attention"]
    failed = [(kind, row) for kind in ended.kinds for row in ended.rows.get(shown(f"sub-{kind.label}"), [])]
    failed = [(kind, Path(row["source"]).name) for kind, row in failed if row["status"] == "failed"]

    missing = [name for kind, name in failed if not any(i.startswith(name) and kind.message in i for i in listed)]
    assert not missing
    assert len(failed) >= 60


def test_the_table_of_the_report_has_every_line_with_the_beginning_of_its_reason(ended, report):
    listed = report[0].items["scans"][1:]  # below the heading

    assert len(listed) == sum(len(rows) for rows in ended.rows.values())
    for kind in ended.kinds:
        if kind.becomes == "failed" and len(kind.message) < 30 and len(kind.label) < 30:
            assert any(f"sub-{kind.label}" in line and kind.message in line for line in listed), kind.label


def test_hostile_names_and_reasons_are_text_in_the_report(report):
    page, said = report

    assert any(broken_participants.HOSTILE in item for item in page.items["attention"])
    assert any(broken_participants.HOSTILE.replace(" ", "_") in item for item in page.items["sites"])
    pictures = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert pictures
    assert all(source.startswith("data:image/") for source in pictures)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert "Traceback" not in said


def test_the_level_of_the_group_touches_nothing_but_the_folder_of_results(ended, report):
    assert report
    after = {
        name: found
        for name, found in broken_inputs.snapshot(ended.root).items()
        if Path(name) in map(Path, ended.before)
    }

    assert after == ended.before


def told_of(kind) -> str:
    """The last cell of a kind in the documentation."""
    message = kind.message.replace("<", "&lt;")
    told = kind.becomes + (f": *{message}*" if message else "")
    of_a_file = next((one for one in broken_inputs.KINDS if one.name == kind.scan_kind), None)
    same = of_a_file is not None and of_a_file.becomes == kind.becomes
    return "the same" if same and (not kind.message or kind.becomes == "failed") else told


def test_the_list_of_the_documentation_tells_what_becomes_of_each_participant():
    lines = LIST.read_text(encoding="utf-8").splitlines()

    for kind in broken_participants.STUDY:
        told = [line for line in lines if f"| {kind.what} |" in line]
        assert told
        assert all(line.endswith(f"| {told_of(kind)} |") for line in told)
