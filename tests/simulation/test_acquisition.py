import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from hail_mri.simulation.acquisition import random_receive_field, scan
from hail_mri.simulation.fields import Field
from hail_mri.simulation.phantoms import RigidTransform, centred_affine, no_transform, place
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.tissues import INDEX_OF, parameter_table

SHAPE, AFFINE = (48, 48, 56), centred_affine((48, 48, 56), 4.0)
PLAIN = replace(SITES["C"], tissue_gain={}, transmit_strength=0.0, gain=1000.0)


def plain_subject(label_map):
    """Give a subject without deformation and texture."""
    subject = new_subject(label_map, 1, deformation=0.0)
    return replace(subject, texture=Field(torch.zeros_like(subject.texture.values), *_where(subject.texture)))


def _where(field):
    return field.origin, field.spacing


def test_a_scan_is_the_signal_equation_in_every_voxel(ball):
    head = place(plain_subject(ball), SHAPE, AFFINE, transform=no_transform(), n_subsamples=1)
    by_tissue = PLAIN.sequence.signal(*parameter_table(3.0).unbind(dim=1), 1.0)

    volume = scan(head, PLAIN)

    for name in ("white_matter", "cortex", "csf"):
        values = volume[head.tissue_labels == INDEX_OF[name]]
        expected = 1000 * by_tissue[INDEX_OF[name]] / by_tissue.max()
        torch.testing.assert_close(values, expected.expand_as(values))
    assert volume[~head.head].max() == 0


def test_partial_volume_conserves_the_average(ball):
    subject = plain_subject(ball)
    fine = place(subject, (96, 96, 112), centred_affine((96, 96, 112), 2.0), transform=no_transform(), n_subsamples=1)
    coarse = place(subject, SHAPE, AFFINE, transform=no_transform(), n_subsamples=2)

    means = scan(fine, PLAIN).reshape(48, 2, 48, 2, 56, 2).mean(dim=(1, 3, 5))

    torch.testing.assert_close(scan(coarse, PLAIN), means, atol=1e-2, rtol=1e-5)


def test_noise_in_air_is_that_of_a_rayleigh_distribution(ball):
    fine = centred_affine((64, 64, 64), 1.0)
    head = place(
        plain_subject(ball), (64, 64, 64), fine, transform=RigidTransform(torch.eye(3), torch.full((3,), 130.0))
    )
    sigma = _noise_sigma(1.0)

    air = scan(head, PLAIN, noise=torch.Generator().manual_seed(0))[head.on_grid(torch.ones(len(head.voxels))) == 0]

    assert len(air) > 100_000
    assert air.mean().item() == pytest.approx(sigma * math.sqrt(math.pi / 2), rel=0.01)
    assert air.std().item() == pytest.approx(sigma * math.sqrt(2 - math.pi / 2), rel=0.01)


@pytest.mark.parametrize("spacing", [pytest.param(1.0, id="1 mm"), pytest.param(4.0, id="4 mm")])
def test_noise_in_tissue_falls_with_the_voxels_volume(ball, spacing):
    affine = centred_affine((24, 24, 24), spacing)
    head = place(
        plain_subject(ball), (24, 24, 24), affine, transform=RigidTransform(torch.eye(3), torch.tensor([0.0, 0, 38.0]))
    )
    white = head.tissue_labels == INDEX_OF["white_matter"]

    noise = (scan(head, PLAIN, noise=torch.Generator().manual_seed(1)) - scan(head, PLAIN))[white]

    assert white.sum() > 3000
    assert noise.std().item() == pytest.approx(_noise_sigma(spacing), rel=0.06)


def _noise_sigma(spacing):
    """Return the standard deviation in a voxel, in scanner units: its signal-to-noise is that of 1 mm³."""
    by_tissue = PLAIN.sequence.signal(*parameter_table(3.0).unbind(dim=1), 1.0)
    return 1000 * (by_tissue[INDEX_OF["white_matter"]] / by_tissue.max()).item() / PLAIN.snr / spacing**1.5


def test_the_receive_field_multiplies_and_its_strength_scales_the_log(placed):
    receive_field = random_receive_field(torch.Generator().manual_seed(2))
    inside = placed.head

    weak, strong = (
        torch.log(scan(placed, PLAIN, receive_field=receive_field, receive_strength=strength) / scan(placed, PLAIN))[
            inside
        ]
        for strength in (0.1, 0.2)
    )

    assert weak.std() > 0.01
    torch.testing.assert_close(strong, 2 * weak, atol=1e-5, rtol=1e-3)


def test_blur_goes_along_the_slices_of_the_plane(placed):
    thick = {plane: replace(PLAIN, plane=plane, resolution=(1.0, 16.0)) for plane in ("sagittal", "coronal", "axial")}

    rough = {}
    for plane, site in thick.items():
        volume = scan(placed, site)
        rough[plane] = [volume.diff(dim=axis).square().mean().item() for axis in range(3)]

    assert np.argmin(rough["sagittal"]) == 0
    assert np.argmin(rough["coronal"]) == 1
    assert np.argmin(rough["axial"]) == 2


def test_the_same_subject_has_the_same_texture_at_two_sites(ball, placed):
    other = place(new_subject(ball, 2, deformation=0.0), SHAPE, AFFINE, transform=no_transform(), n_subsamples=1)
    white = (placed.tissue_labels == INDEX_OF["white_matter"]) & (other.tissue_labels == INDEX_OF["white_matter"])
    still = [replace(SITES[name], transmit_strength=0.0) for name in "BC"]

    at_b, at_c = (scan(placed, site)[white] for site in still)
    other_at_c = scan(other, still[1])[white]

    assert _correlation(at_b, at_c) > 0.9
    assert abs(_correlation(at_b, other_at_c)) < 0.5


def _correlation(one, other):
    return torch.corrcoef(torch.stack([one, other]))[0, 1].item()
