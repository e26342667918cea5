import re
from dataclasses import replace

import numpy as np
import pytest

from hail_mri.report.study.findings import find
from hail_mri.report.study.probe_section import probe_blocks, probe_words, stripping_words


def text_of(blocks):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", " ".join(blocks)))


@pytest.fixture(scope="module")
def findings(make_entries):
    return find(make_entries(3, 5))


@pytest.fixture(scope="module")
def not_harmonized(make_entries):
    """The findings of results that are their sources, but that sites lie a tenth as far apart."""
    entries = make_entries(3, 5)
    middle = {name: np.mean([e.measures.before[name] for e in entries]) for name in entries[0].measures.before}
    near = [
        {name: 0.9 * middle[name] * white + 0.1 * value for name, value in e.measures.before.items()}
        for e in entries
        for white in [e.measures.before["white_matter_median"] / middle["white_matter_median"]]
    ]
    return find([replace(e, measures=replace(e.measures, after=after)) for e, after in zip(entries, near, strict=True)])


def test_a_site_that_is_told_no_more_is_said_with_chance_and_p(findings):
    told, size, _ = probe_words(findings.probes)

    assert "before, of 15, which is more than chance lets expect (p = 0.01)" in told
    assert re.search(r"After harmonization the site of \d+ of 15 scans is told right, which is within chance", told)
    assert "The site is told less often than before, and not by chance" in told
    assert "no contradiction" not in size


def test_a_difference_of_nothing_is_no_finding_and_a_smaller_distance_is_told(not_harmonized):
    told, size, no_width = probe_words(not_harmonized.probes)

    assert "of 15 of 15 scans is told right, which is more than chance lets expect" in told
    assert "The difference between the two is within chance (p = 1)" in told
    assert "with 15 subjects if of others only 82 % were told right" in no_width  # 0.82 ** 15 is 5 %
    assert "no contradiction" in size
    before, after = (float(share) for share in re.findall(r"([\d.]+) %", size)[:2])
    assert after == pytest.approx(before / 10, abs=0.3)


def test_sites_that_have_not_come_nearer_are_said_to_have_not(make_entries):
    same = [replace(e, measures=replace(e.measures, after=e.measures.before)) for e in make_entries(2, 4)]

    told, size, _ = probe_words(find(same).probes)

    assert "The difference between the two is within chance (p = 1)" in told
    assert "lie about as far apart as before" in size
    assert "nearer" not in size


def test_sites_that_drift_apart_are_said_to(make_entries):
    entries = make_entries(2, 4)
    swapped = [replace(e.measures, before=e.measures.after, after=e.measures.before) for e in entries]

    _, size, *_ = probe_words(find([replace(e, measures=m) for e, m in zip(entries, swapped, strict=True)]).probes)

    assert "lie farther apart than before" in size


def test_chance_is_not_spoken_of_where_no_scan_could_have_been_of_another_site(not_harmonized):
    probes = not_harmonized.probes
    never = [replace(state, chance=replace(state.chance, least_p=1.0)) for state in (probes.before, probes.after)]

    told, *_ = probe_words(replace(probes, before=never[0], after=never[1]))

    assert told.count("which cannot be compared with chance") == 2
    assert "(p = 0.01)" not in told


def test_the_three_features_with_the_largest_share_of_the_site_are_shown(not_harmonized):
    text = text_of(probe_blocks(not_harmonized))
    shares = not_harmonized.probes.after.effect.share
    strongest = not_harmonized.probes.names[int(np.argmax(shares))]

    assert "the 3 features with the largest share of the site" in text
    assert strongest.split("_")[0].replace("csf", "fluid") in text
    assert text.count("between sites before") == 1


def test_a_skull_stripped_site_is_named_and_sites_alike_are_not(make_entries):
    scans = [entry.scan for entry in make_entries(3, 2)]
    mixed = [replace(s, skull_stripped=s.site == "site B") for s in scans]

    assert "Skull-stripped are scans of site B (all of 2); others are whole heads." in stripping_words(mixed)[0]
    assert "site B (1 of 2)" in stripping_words([*mixed[:3], replace(mixed[3], skull_stripped=False), *mixed[4:]])[0]
    for alike in (True, False, None):
        assert stripping_words([replace(scan, skull_stripped=alike) for scan in scans]) == []


def test_what_could_not_be_asked_has_its_reason(make_entries):
    assert "one site only" in text_of(probe_blocks(find(make_entries(1, 5))))
