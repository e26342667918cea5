"""Names of files and folders that several parts of the package write or look for, and the BIDS version of them."""

STATE_DIR = ".hail-mri"  # in a folder of results: locks of runs, states of scans, traces of errors, styles
RESULT_TABLE = "harmonized.tsv"  # what became of each scan
DERIVATIVES = "derivatives"  # where BIDS keeps what was made of raw data
DESCRIPTION = "dataset_description.json"
BIDS_VERSION = "1.10.0"
