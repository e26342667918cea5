import shutil

import pytest

from hail_mri.apps.bids.plan import make_plan
from hail_mri.apps.bids.request import AppRequest
from hail_mri.apps.bids.targets import Auto, find_targets, warnings_of
from hail_mri.errors import InputError, MissingFileError

pytest.importorskip("bids2table")


@pytest.fixture
def plan_of(two_sites, tmp_path):
    """Return a function that makes a request, and the plan of it."""
    (tmp_path / "out").mkdir()

    def make(**choices):
        request = AppRequest(dataset_dir=two_sites, output_dir=tmp_path / "out", work_dir=tmp_path / "w", **choices)
        return request, make_plan(request)

    return make


def test_one_scan_is_the_target_of_all(plan_of, tmp_path):
    (tmp_path / "target.nii.gz").write_bytes(b"")

    targets = find_targets(*plan_of(target=str(tmp_path / "target.nii.gz")))

    assert {target.path for target in targets.of_scan.values()} == {tmp_path / "target.nii.gz"}
    assert len(targets.of_scan) == 4
    assert not any(target.is_style_card for target in targets.of_scan.values())


def test_a_name_that_ends_in_json_is_a_style_card(plan_of, tmp_path):
    (tmp_path / "site.style.json").write_text("{}")

    targets = find_targets(*plan_of(target=str(tmp_path / "site.style.json")))

    assert all(target.is_style_card for target in targets.of_scan.values())


def test_a_table_gives_each_site_its_target(plan_of, tmp_path):
    for name in ("a.json", "b.nii", "b_mask.nii"):
        (tmp_path / name).write_text("")
    table = tmp_path / "targets.tsv"
    table.write_text("site\ttarget\ttarget_mask\nA\ta.json\tn/a\nB\tb.nii\tb_mask.nii\nC\ta.json\tn/a\n")

    targets = find_targets(*plan_of(target=str(table)))

    assert {scan.subject: target.path.name for scan, target in targets.of_scan.items()} == {
        "01": "a.json",
        "02": "b.nii",
        "03": "b.nii",
    }
    assert {target.brain_mask for target in targets.of_scan.values()} == {None, tmp_path / "b_mask.nii"}
    assert targets.table_path == table


def test_scans_of_a_site_without_a_target_have_none(plan_of, tmp_path):
    (tmp_path / "a.json").write_text("")
    (tmp_path / "targets.tsv").write_text("site\ttarget\nA\ta.json\n")

    targets = find_targets(*plan_of(target=str(tmp_path / "targets.tsv")))

    assert {scan.subject for scan in targets.of_scan} == {"01"}


def test_the_medoid_is_sought_among_all_participants_whoever_is_harmonized(plan_of):
    auto = find_targets(*plan_of(target_site="B", participants=("01",)))

    assert isinstance(auto, Auto)
    assert [scan.subject for scan in auto.examples] == ["02", "03"]


def test_scans_of_test_subjects_are_no_examples(plan_of, two_sites):
    (two_sites / "participants.tsv").write_text(
        "participant_id\tsite\tsplit\nsub-01\tA\ttrain\nsub-02\tB\ttest\nsub-03\tB\ttrain\n"
    )

    auto = find_targets(*plan_of(target="auto", target_site="B"))

    assert [scan.subject for scan in auto.examples] == ["03"]
    assert (auto.n_left_out, auto.only_tested) == (1, False)


@pytest.mark.parametrize("kind", ["link", "copy"])
def test_a_target_of_a_test_subject_is_warned_of(kind, plan_of, two_sites, tmp_path):
    table = two_sites / "participants.tsv"
    scan = two_sites / "sub-02/ses-1/anat/sub-02_ses-1_acq-a_T1w.nii.gz"
    scan.write_bytes(b"a scan")
    if kind == "link":
        (tmp_path / "other.nii.gz").symlink_to(scan)
    else:
        shutil.copy(scan, tmp_path / "other.nii.gz")
    table.write_text("participant_id\tsite\tsplit\nsub-01\tA\ttest\nsub-02\tB\ttest\nsub-03\tB\ttrain\n")

    request, plan = plan_of(target=str(tmp_path / "other.nii.gz"))
    warnings = warnings_of(find_targets(request, plan), plan)

    assert len(warnings) == 1
    assert "other.nii.gz is among the test subjects" in warnings[0]
    assert str(scan) in warnings[0]

    table.write_text("participant_id\tsite\tsplit\nsub-01\tA\ttest\nsub-02\tB\ttrain\nsub-03\tB\ttrain\n")
    request, plan = plan_of(target=str(scan))
    assert warnings_of(find_targets(request, plan), plan) == []


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        pytest.param({}, "neither --target nor --target-site", id="none"),
        pytest.param({"target": "auto"}, r"needs a site; the data set has A \(2 scans\), B", id="auto of what"),
        pytest.param({"target_site": "C"}, "no site is called 'C'", id="unknown site"),
        pytest.param(
            {"target": "t.json", "target_site": "A"}, "--target-site is given with --target t.json", id="both"
        ),
    ],
)
def test_a_target_that_is_not_clear_is_refused(choices, said, plan_of):
    with pytest.raises(InputError, match=said):
        find_targets(*plan_of(**choices))


@pytest.mark.parametrize(
    ("table", "kind", "said"),
    [
        pytest.param(
            "site\ttarget\nC\ta.json\n", InputError, "has targets for C; the data set has the sites A, B", id="other"
        ),
        pytest.param("site\ttarget\n", InputError, "has no rows", id="empty"),
        pytest.param("site\ttarget\nA\tn/a\n", InputError, "site A: target is empty", id="no target"),
        pytest.param("site\ttarget\nA\tgone.nii\n", MissingFileError, "site A: .*gone.nii does not exist", id="gone"),
        pytest.param("target\na.json\n", InputError, "expected one called site", id="no sites"),
    ],
)
def test_a_table_of_targets_that_is_none_is_refused(table, kind, said, plan_of, tmp_path):
    (tmp_path / "a.json").write_text("")
    (tmp_path / "targets.tsv").write_text(table)

    with pytest.raises(kind, match=said):
        find_targets(*plan_of(target=str(tmp_path / "targets.tsv")))


def test_a_target_that_is_not_there_is_missing(plan_of):
    with pytest.raises(MissingFileError, match=r"gone\.nii does not exist"):
        find_targets(*plan_of(target="gone.nii"))
