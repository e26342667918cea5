"""What the report of a study says in every study: how to read it, and how it was made."""

MOSAIC = (
    "Each picture is the middle slice of the brain, seen from above, the patient's left at the left; the scan as it "
    "was on top, its result below. Before, each scan is shown with its own white matter light grey, for units of "
    "scanners have no meaning. After, all results of one target share one window: whose units do not agree stands out. "
    "A picture leads to the scan's line in the table."
)
MAP = (
    "Scans near each other look alike: the principal components of the intensities of their tissues, divided by the "
    "scan's own white matter, so that neither units nor sizes of brains count. Before harmonization, sites usually lie "
    "apart. After it they should lie upon each other, as far as their people are alike."
)
PROBE = (
    "A linear classifier learns to tell the site from the features of the map, and is asked of subjects that it has "
    "not seen. Chance is what it tells when scans are given the features of others, at random. The second table shows "
    "what tells the sites most: how far they lie apart beyond what people differ by, how far scans of a site do, and "
    "which share of the variance is the site's. Harmonization changes the contrast of tissues. A scanner's shading, "
    "noise and size of voxels stay; and where a tissue model is used, the small tissues deep in the brain change as "
    "the large ones of their brightness do, and to values of their own only as far as these are known. Sites whose "
    "people differ (age, disease) can be told with reason, and a linear classifier finds only what is linear: no "
    "number here proves anything alone."
)
SEVERAL = (
    "Not all scans were made with the same versions or for the same target: what differs between them may be that, and "
    "sites that were given different targets are meant to differ."
)
METHODS = {
    "Features of the map": "White matter, grey matter and fluid: 10, 25, 50, 75 and 90 % of intensities; striatum, "
    "thalamus, pallidum and brain stem: the median; all divided by the median of the scan's white matter. Of fluid, "
    "that 15 mm and more below the surface of the brain, where skull-stripping takes none. Voxels are those of the "
    "source's tissues, before and after. Standardized over all scans, before and after together.",
    "Who finds the tissues": "The tissue network of hail-mri, which is also behind its results. Scans whose tissues "
    "fail one of its checks have no features. For a judgement of the method by other programs' tissues there is "
    "hail-mri evaluate.",
    "Unlike the others": "The root mean square of the features' deviations from the site's median, in units of the "
    "robust spread within sites; a scan is named beyond the median plus 3.5 robust standard deviations of all scans, "
    "both of the cube root of the squared distance. Sites of fewer than four scans, and studies of fewer than eight, "
    "have none.",
    "Probe": "Logistic regression (C = 1) on standardized features, five folds by subject, balanced accuracy; interval "
    "by the bootstrap over subjects. Chance: 99 permutations of features among subjects, each trained anew. Before and "
    "after: answers of subjects exchanged at random, two-sided. Sites apart: one-way analysis of variance with random "
    "effects.",
    "Verdicts": "The worst of all checks of source, target and result, which the sidecar of each result tells.",
    "Features as a table": "hail-mri features writes them for ComBat.",
}
REFERENCES = (
    (
        "Parida A et al. Harmonization Across Imaging Locations (HAIL): One-Shot Learning for Brain MRI. "
        "arXiv:2308.11047, 2023."
    ),
    (
        "Rousseeuw PJ, Croux C. Alternatives to the median absolute deviation. JASA 1993, "
        "doi:10.1080/01621459.1993.10476408."
    ),
    "Ojala M, Garriga GC. Permutation tests for studying classifier performance. JMLR 2010, 11:1833-1863.",
    (
        "Donner A. A review of inference procedures for the intraclass correlation coefficient. Int Stat Rev 1986, "
        "doi:10.2307/1403259."
    ),
    "Brodersen KH et al. The balanced accuracy and its posterior distribution. ICPR 2010, doi:10.1109/ICPR.2010.764.",
)
