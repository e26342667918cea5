"""`python -m hail_mri` is the command `hail-mri`."""

import sys

from hail_mri.apps.cli import main

if __name__ == "__main__":
    sys.exit(main())
