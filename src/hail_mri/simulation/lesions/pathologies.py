"""MR parameters of diseased tissue, as in `tissues`; indices go on where those of healthy tissue end.

Where the numbers come from
---------------------------
Parts of a mass: de Blank et al. 2019 measured by MR fingerprinting at 3 T, in children and young adults, T1 of solid
tumour (high grade 1863 ms, low grade 1355 ms), of peritumoral white matter (1261 ± 359 ms) and of the other side's
white matter (933 ms). Methods differ in their white matter, so the ratios to it are applied to the white matter of
`tissues`: 1.8 for solid tumour, between both grades (1.45 and 2.0), and 1.7 for oedema, a standard deviation above the
mean of all that lies around tumours. The rim that takes up contrast agent has
the relaxation that 0.2 mmol/l of a gadolinium agent with a relaxivity of 4.5 l/(mmol s) gives to solid tumour,
1 / (1 / T1 + 0.9 / s), Rohrer et al. 2005. The core is necrotic fluid rich in protein: between solid tumour and CSF,
by our choice.

Sclerosis and hyperintensities: R1 in lesions is below that of normal-appearing white matter (Lommers et al. 2019), and
small hyperintensities of the old hold more water and relax longer than their surroundings (Anderson et al. 2014). How
much is our choice: an old sclerotic lesion is as dark as grey matter in T1-weighted scans (the `lesion` of `tissues`);
a hyperintensity goes 60 % of the way from white matter to it. Proton density and T2 follow the same share.

References
----------
de Blank et al., Pediatr Neurosurg 54:310 (2019). Rohrer et al., Invest Radiol 40:715 (2005).
Lommers et al., NeuroImage Clin 23:101879 (2019). Anderson et al., Fluids Barriers CNS 11:24 (2014).
"""

from __future__ import annotations

from hail_mri.simulation.tissues import AIR, INDEX_OF, SOFT_TISSUE, TISSUES, Tissue

PATHOLOGIES: tuple[Tissue, ...] = (
    Tissue("tumour_core", 0.95, 2300, 2600, 400, 150),
    Tissue("tumour_solid", 0.85, 1200, 1550, 110, 70),
    Tissue("tumour_enhancing", 0.85, 580, 650, 100, 60),
    Tissue("oedema", 0.80, 1110, 1450, 120, 75),
    Tissue("sclerosis", 0.82, 1100, 1350, 110, 70),
    Tissue("hyperintensity", 0.77, 920, 1150, 96, 62),
)

# Soft tissue has an index in label maps, but is fat or muscle by the time it is scanned: no row of its own is read.
ALL_TISSUES: tuple[Tissue, ...] = (*TISSUES, TISSUES[AIR], *PATHOLOGIES)
FIRST_PATHOLOGY = SOFT_TISSUE + 1
PATHOLOGY_INDEX = {tissue.name: FIRST_PATHOLOGY + n for n, tissue in enumerate(PATHOLOGIES)}

WHITE_MATTER = (INDEX_OF["white_matter"],)
BRAIN = tuple(range(INDEX_OF["white_matter"], INDEX_OF["blood"] + 1))  # with its fluid and vessels
