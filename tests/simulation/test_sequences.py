import math

import numpy as np
import pytest
import torch

from hail_mri.simulation.sequences import Mprage, SpinEcho, SpoiledGradientEcho

WHITE, GREY, FLUID = (0.7, 850.0, 75.0, 50.0), (0.82, 1350.0, 95.0, 60.0), (1.0, 4300.0, 1800.0, 600.0)
TISSUES = [pytest.param(WHITE, id="white"), pytest.param(GREY, id="grey"), pytest.param(FLUID, id="fluid")]


def signal(sequence, tissue, b1=1.0):
    return float(sequence.signal(*(torch.tensor(value, dtype=torch.float64) for value in tissue), b1))


def pulse_by_pulse(sequence, tissue, b1=1.0, n_cycles=40):
    """Follow the longitudinal magnetization through every pulse and every wait, until the cycle repeats itself."""
    pd, t1, _, t2_star = tissue
    angle = b1 * math.radians(sequence.flip_angle)
    first_wait = sequence.ti - (sequence.n_echoes // 2) * sequence.echo_spacing
    last_wait = sequence.tr - first_wait - sequence.n_echoes * sequence.echo_spacing

    def relax(m, wait):
        return pd + (m - pd) * math.exp(-wait / t1)

    m, echoes = pd, []
    for _ in range(n_cycles):
        m, echoes = relax(-sequence.inversion_efficiency * m, first_wait), []
        for _ in range(sequence.n_echoes):
            echoes.append(m * math.sin(angle))
            m = relax(m * math.cos(angle), sequence.echo_spacing)
        m = relax(m, last_wait)
    return abs(echoes[sequence.n_echoes // 2]) * math.exp(-sequence.te / t2_star)


@pytest.mark.parametrize("tissue", TISSUES)
def test_a_spin_echo_saturates_with_t1_and_decays_with_t2(tissue):
    pd, t1, t2, _ = tissue

    expected = pd * (1 - math.exp(-600 / t1)) * math.exp(-10.5 / t2)

    assert signal(SpinEcho(600, 10.5), tissue) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("tissue", TISSUES)
def test_a_spoiled_gradient_echo_follows_ernst(tissue):
    pd, t1, _, t2_star = tissue
    angle, e1 = math.radians(8), math.exp(-8.23 / t1)

    expected = pd * math.sin(angle) * (1 - e1) / (1 - math.cos(angle) * e1) * math.exp(-3.8 / t2_star)

    assert signal(SpoiledGradientEcho(8.23, 3.8, 8), tissue) == pytest.approx(expected, rel=1e-5)


def test_a_spoiled_gradient_echo_is_brightest_at_the_ernst_angle():
    angles = np.arange(2, 40, 0.05)
    signals = [signal(SpoiledGradientEcho(10, 3, angle), WHITE) for angle in angles]

    assert angles[np.argmax(signals)] == pytest.approx(math.degrees(math.acos(math.exp(-10 / 850))), abs=0.05)


@pytest.mark.parametrize("tissue", TISSUES)
@pytest.mark.parametrize(
    ("sequence", "b1"),
    [
        pytest.param(Mprage(1900, 2.5, 900, 9), 1.0, id="site B"),
        pytest.param(Mprage(1900, 2.5, 900, 9), 1.2, id="transmit field too strong"),
        pytest.param(Mprage(2300, 3.0, 1100, 8, 7.1, 175, 1.0), 1.0, id="odd number of echoes, perfect inversion"),
        pytest.param(Mprage(1500, 4.0, 620, 12, 6.0, 200, 0.9), 0.8, id="short cycle, no wait before the train"),
    ],
)
def test_an_mprage_is_what_pulse_after_pulse_comes_to(sequence, b1, tissue):
    assert signal(sequence, tissue, b1) == pytest.approx(pulse_by_pulse(sequence, tissue, b1), rel=1e-5)


@pytest.mark.parametrize("sequence", [SpinEcho(600, 10.5), Mprage(1900, 2.5, 900, 9), SpoiledGradientEcho(8, 4, 8)])
def test_twice_the_protons_give_twice_the_signal(sequence):
    assert signal(sequence, (1.4, *WHITE[1:])) == pytest.approx(2 * signal(sequence, WHITE))
