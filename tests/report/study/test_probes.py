import numpy as np

from hail_mri.report.study.probes import probe_before_and_after
from hail_mri.report.study.site_map import Looks

SITES = np.repeat(["A", "B"], 12).tolist()
SUBJECTS = [f"{site}{n}" for site in "AB" for n in range(12)]


def looks(difference):
    return np.random.default_rng(0).normal(0, 1, (24, 3)) + difference * np.repeat([[0.0], [1.0]], 12, axis=0)


def probe(before, after, sites, subjects):
    """Probe scans of which all features are there."""
    names = tuple(f"csf_p{n}" for n in range(before.shape[1]))
    return probe_before_and_after(Looks(before, after, np.ones(len(before), bool), names), sites, subjects)


def test_the_site_is_told_before_and_not_after():
    found = probe(looks(8), looks(0), SITES, SUBJECTS)

    assert found.before.probe.balanced_accuracy.estimate == 1
    assert found.before.probe.chance == 0.5
    assert 0.2 < found.after.probe.balanced_accuracy.estimate < 0.8
    assert (found.reason, found.caution) == ("", "")
    assert (found.before.is_told, found.after.is_told) == (True, False)
    assert found.change.difference.estimate < 0
    assert found.change.p_value < 0.01
    assert (found.before.effect.between > 3).all()
    assert (found.after.effect.between < 1).all()


def test_without_sites_there_is_a_reason():
    found = probe(looks(8), looks(0), [""] * 24, SUBJECTS)

    assert (found.before, found.after) == (None, None)
    assert "no scan has a site" in found.reason


def test_one_site_or_one_subject_of_a_site_is_said():
    one_site = probe(looks(8), looks(0), ["A"] * 24, SUBJECTS)
    one_subject = probe(looks(8), looks(0), SITES, SUBJECTS[:12] + ["B0"] * 12)

    assert "one site only" in one_site.reason
    assert "B has one subject" in one_subject.reason


def test_few_subjects_are_a_caution():
    found = probe(looks(8)[4:], looks(0)[4:], SITES[4:], SUBJECTS[4:])

    assert "8 subjects only" in found.caution


def test_scans_without_a_site_are_left_out():
    sites = ["", *SITES[1:]]
    strange = looks(8)
    strange[0] = 1e6

    assert probe(strange, looks(0), sites, SUBJECTS).before.probe.balanced_accuracy.estimate == 1
