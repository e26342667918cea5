import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hail_mri
from hail_mri.errors import InputError, OutputExistsError
from hail_mri.report.study.features import feature_names
from hail_mri.report.study.handoff import write_features
from hail_mri.report.study.measures import ScanMeasures
from hail_mri.report.study.participants import Participants

DOCS_PATH = Path(hail_mri.__file__).parents[2] / "docs/combat.md"


def people(entries, **columns):
    rng = np.random.default_rng(0)
    covariates = {e.scan.subject: {"age": f"{rng.uniform(20, 60):.1f}"} | columns for e in entries}
    return Participants({}, covariates, ("age", *columns))


def read(path):
    return pd.read_csv(path, sep="\t", dtype={"subject": str})


def test_every_scan_is_a_row_with_its_site_covariates_and_features(make_entries, tmp_path):
    entries = make_entries(2, 3)

    assert write_features(entries, people(entries), tmp_path / "f.tsv", overwrite=False) == 6

    table = read(tmp_path / "f.tsv")
    assert list(table)[:5] == ["scan", "subject", "session", "SITE", "age"]
    assert table.SITE.tolist() == ["site A"] * 3 + ["site B"] * 3
    assert table.subject.tolist() == [entry.scan.subject for entry in entries]
    for name in feature_names():
        assert table[f"{name}_before"].tolist() == pytest.approx([e.measures.before[name] for e in entries], rel=1e-6)
        assert table[f"{name}_after"].tolist() == pytest.approx([e.measures.after[name] for e in entries], rel=1e-6)


def test_what_is_not_known_is_na_and_who_was_not_measured_is_left_out(make_entries, tmp_path):
    entries = make_entries(2, 3)
    entries[0] = replace(entries[0], measures=ScanMeasures(reason="no brain"))
    entries[1].measures.before["csf_mean"] = float("nan")

    write_features(entries, Participants({}, {}, ("age",)), tmp_path / "f.tsv", overwrite=False)

    table = read(tmp_path / "f.tsv")
    assert len(table) == 5
    assert table.age.isna().all()
    assert np.isnan(table.csf_mean_before[0])
    assert "n/a" in (tmp_path / "f.tsv").read_text()


def test_a_covariate_called_like_a_feature_is_refused(make_entries, tmp_path):
    entries = make_entries(1, 2)

    with pytest.raises(InputError, match="columns SITE, csf_mean_after are called like"):
        write_features(entries, people(entries, SITE="1", csf_mean_after="2"), tmp_path / "f.tsv", overwrite=False)


def test_nothing_measured_and_a_file_that_is_there_are_refused(make_entries, tmp_path):
    entries = [replace(entry, measures=ScanMeasures()) for entry in make_entries(1, 2)]
    (tmp_path / "there.tsv").touch()

    with pytest.raises(InputError, match="no scan could be measured"):
        write_features(entries, Participants(), tmp_path / "f.tsv", overwrite=False)
    with pytest.raises(OutputExistsError):
        write_features(make_entries(1, 2), Participants(), tmp_path / "there.tsv", overwrite=False)


@pytest.fixture
def table(make_entries, tmp_path):
    entries = make_entries(2, 12)
    write_features(entries, people(entries), tmp_path / "f.tsv", overwrite=False)
    return read(tmp_path / "f.tsv")


def distance_of_sites(values, sites):
    """Difference of the sites' means in standard deviations, the mean over features."""
    first, second = (values[sites == site] for site in ("site A", "site B"))
    return np.mean(np.abs(first.mean(axis=0) - second.mean(axis=0)) / values.std(axis=0))


def test_neuroharmonize_takes_the_table_as_it_is(table):
    harmonize = pytest.importorskip("neuroHarmonize")
    names = [name for name in table if name.startswith("grey_white_contrast") and name.endswith("_before")]

    _, adjusted = harmonize.harmonizationLearn(table[names].to_numpy(), table[["SITE", "age"]])

    assert distance_of_sites(adjusted, table.SITE) < 0.2 * distance_of_sites(table[names].to_numpy(), table.SITE)


def test_neurocombat_takes_the_table_as_it_is(table):
    combat = pytest.importorskip("neuroCombat")
    names = [name for name in table if name.startswith("grey_white_contrast") and name.endswith("_before")]

    found = combat.neuroCombat(
        dat=table[names].to_numpy().T, covars=table[["SITE", "age"]], batch_col="SITE", continuous_cols=["age"]
    )

    adjusted = found["data"].T
    assert distance_of_sites(adjusted, table.SITE) < 0.2 * distance_of_sites(table[names].to_numpy(), table.SITE)


@pytest.mark.skipif(not DOCS_PATH.is_file(), reason="not run from a checkout")
@pytest.mark.parametrize("package", ["neuroHarmonize", "neuroCombat"])
def test_the_calls_of_the_docs_run_as_shown(package, make_entries, tmp_path, monkeypatch):
    pytest.importorskip(package)
    entries = make_entries(2, 12)
    monkeypatch.chdir(tmp_path)
    sexes = np.random.default_rng(0).choice(["F", "M"], len(entries))
    covariates = {e.scan.subject: {"age": f"{20 + n}", "sex": sexes[n]} for n, e in enumerate(entries)}
    write_features(entries, Participants({}, covariates, ("age", "sex")), Path("features.tsv"), overwrite=False)
    snippets = re.findall(r"```python\n(.*?)```", DOCS_PATH.read_text(encoding="utf-8"), flags=re.DOTALL)

    names: dict = {}
    exec(next(snippet for snippet in snippets if f"from {package} import" in snippet), names)

    adjusted, before = names["table"], read(Path("features.tsv"))
    assert len(adjusted) == len(entries)
    assert np.isfinite(adjusted[names["names"]].to_numpy()).all()
    assert adjusted.csf_mean_after.equals(before.csf_mean_after)
    assert not adjusted.csf_volume_ml_after.equals(before.csf_volume_ml_after)
