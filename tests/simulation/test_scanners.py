import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.simulation.scanners import SITES, random_site, site_by_name
from hail_mri.simulation.sequences import Mprage, SpinEcho, SpoiledGradientEcho
from hail_mri.simulation.tissues import INDEX_OF, parameter_table


def signals(site):
    return site.sequence.signal(*parameter_table(site.field_strength)[1:].unbind(dim=1), 1.0)


# Table 1 of the paper: vendor, sequence, TE and TR in ms, plane.
@pytest.mark.parametrize(
    ("name", "vendor", "sequence", "te", "tr", "plane"),
    [
        pytest.param("A", "GE", SpinEcho, 10.5, 600, "axial", id="A"),
        pytest.param("B", "Siemens", Mprage, 2.5, 1900, "sagittal", id="B"),
        pytest.param("C", "Philips", SpoiledGradientEcho, 3.8, 8.23, "coronal", id="C"),
    ],
)
def test_the_papers_sites_are_as_in_its_table(name, vendor, sequence, te, tr, plane):
    site = site_by_name(name)

    assert isinstance(site.sequence, sequence)
    assert (site.vendor, site.sequence.te, site.sequence.tr, site.plane) == (vendor, te, tr, plane)


def test_an_unknown_site_is_refused_with_the_names_there_are():
    with pytest.raises(InputError, match="no site is called 'D'") as caught:
        site_by_name("D")

    assert "A, B, C" in caught.value.hint


@pytest.mark.parametrize("name", SITES)
def test_white_matter_is_brighter_than_cortex_and_cortex_than_fluid(name):
    by_tissue = signals(SITES[name])

    white, grey, fluid = (by_tissue[INDEX_OF[tissue] - 1] for tissue in ("white_matter", "cortex", "csf"))

    assert white > grey > fluid


def test_random_sites_are_t1_weighted_scanners():
    generator = torch.Generator().manual_seed(0)
    sites = [random_site(generator) for _ in range(200)]

    by_site = torch.stack([signals(site) for site in sites])

    assert torch.isfinite(by_site).all()
    assert (by_site > 0).all()
    white, grey, fluid = (by_site[:, INDEX_OF[tissue] - 1] for tissue in ("white_matter", "cortex", "csf"))
    assert (white > grey).float().mean() > 0.8
    assert (white > fluid).float().mean() > 0.8
    assert {type(site.sequence) for site in sites} == {SpinEcho, Mprage, SpoiledGradientEcho}
    assert all(min(site.tissue_gain.values()) > 0 for site in sites)


def test_random_mprages_have_time_for_their_train():
    generator = torch.Generator().manual_seed(1)
    sequences = [random_site(generator).sequence for _ in range(200)]

    for mprage in (sequence for sequence in sequences if isinstance(sequence, Mprage)):
        before = mprage.ti - mprage.n_echoes // 2 * mprage.echo_spacing
        assert before > 0
        assert mprage.tr - before - mprage.n_echoes * mprage.echo_spacing > 0


def test_the_same_seed_draws_the_same_site():
    assert random_site(torch.Generator().manual_seed(5)) == random_site(torch.Generator().manual_seed(5))
