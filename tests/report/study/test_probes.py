import numpy as np

from hail_mri.report.study.probes import probe_before_and_after

SITES = np.repeat(["A", "B"], 12).tolist()
SUBJECTS = [f"{site}{n}" for site in "AB" for n in range(12)]


def looks(difference):
    return np.random.default_rng(0).normal(0, 1, (24, 3)) + difference * np.repeat([[0.0], [1.0]], 12, axis=0)


def test_the_site_is_told_before_and_not_after():
    found = probe_before_and_after(looks(8), looks(0), SITES, SUBJECTS)

    assert found.before.balanced_accuracy.estimate == 1
    assert found.before.chance == 0.5
    assert 0.2 < found.after.balanced_accuracy.estimate < 0.8
    assert (found.reason, found.caution) == ("", "")


def test_without_sites_there_is_a_reason():
    found = probe_before_and_after(looks(8), looks(0), [""] * 24, SUBJECTS)

    assert (found.before, found.after) == (None, None)
    assert "no scan has a site" in found.reason


def test_one_site_or_one_subject_of_a_site_is_said():
    one_site = probe_before_and_after(looks(8), looks(0), ["A"] * 24, SUBJECTS)
    one_subject = probe_before_and_after(looks(8), looks(0), SITES, SUBJECTS[:12] + ["B0"] * 12)

    assert "one site only" in one_site.reason
    assert "B has one subject" in one_subject.reason


def test_few_subjects_are_a_caution():
    found = probe_before_and_after(looks(8)[4:], looks(0)[4:], SITES[4:], SUBJECTS[4:])

    assert "8 subjects only" in found.caution


def test_scans_without_a_site_are_left_out():
    sites = ["", *SITES[1:]]
    strange = looks(8)
    strange[0] = 1e6

    assert probe_before_and_after(strange, looks(0), sites, SUBJECTS).before.balanced_accuracy.estimate == 1
