import pytest

from hail_mri.apps.bids.dataset import open_dataset
from hail_mri.apps.bids.sites import find_sites
from hail_mri.apps.bids.tables import Tables
from hail_mri.errors import InputError

pytest.importorskip("bids2table")

SCANNER = {
    "Manufacturer": "Siemens",
    "ManufacturersModelName": "Prisma fit",
    "MagneticFieldStrength": 3,
    "InstitutionName": "St. Mary",
}
SCANS = ("sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz", "sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz")


def sites_of(root, site_from=None):
    sites = find_sites(open_dataset(root).scans, Tables(), site_from)
    return list(sites.of_scan.values()), sites


def test_the_column_site_is_asked_first(two_sites):
    found, sites = sites_of(two_sites)

    assert found == ["A", "A", "B", "B"]
    assert sites.counts() == {"A": 2, "B": 2}
    assert sites.told_by == "the column site"


def test_the_table_that_is_nearest_to_the_scan_counts(make_dataset):
    root = make_dataset(*SCANS, participants=[("participant_id", "site"), ("sub-01", "P")])
    (root / "sub-01/sub-01_sessions.tsv").write_text("session_id\tsite\nses-1\tS1\nses-2\tS2\n")
    (root / "sub-01/ses-2/sub-01_ses-2_scans.tsv").write_text("filename\tsite\nanat/sub-01_ses-2_T1w.nii.gz\tX\n")

    assert sites_of(root)[0] == ["S1", "X"]

    (root / "sub-01/sub-01_sessions.tsv").write_text("session_id\tsite\nses-1\tn/a\nses-2\tS2\n")
    assert sites_of(root)[0] == ["P", "X"]


@pytest.mark.parametrize(
    ("site_from", "expected"),
    [
        pytest.param(None, "Siemens_Prisma_fit_3T_St._Mary", id="all of the scanner"),
        pytest.param("manufacturer", "Siemens", id="manufacturer"),
        pytest.param("field-strength+model", "3T_Prisma_fit", id="two"),
        pytest.param("institution", "St._Mary", id="institution"),
        pytest.param("scanner_id", "S7", id="a column"),
        pytest.param("session", "1", id="session"),
    ],
)
def test_sites_may_be_told_by_the_scanner_by_sessions_or_by_any_column(site_from, expected, make_dataset):
    participants = [("participant_id", "scanner_id"), ("sub-01", "S7")]
    root = make_dataset(SCANS[0], sidecars={"T1w.json": SCANNER}, participants=participants)

    assert sites_of(root, site_from)[0] == [expected]


def test_a_scan_of_which_nothing_is_told_has_no_site(make_dataset):
    assert sites_of(make_dataset(SCANS[0]))[0] == [""]


def test_what_no_scan_has_is_refused(two_sites):
    with pytest.raises(InputError, match="--site-from hospital: no scan has a value there"):
        sites_of(two_sites, "hospital")


def test_an_unknown_site_is_refused_with_those_that_there_are(two_sites):
    with pytest.raises(InputError, match=r"no site is called 'C'; the data set has A \(2 scans\), B \(2 scans\)"):
        sites_of(two_sites)[1].scans_of("C")
