"""`python -m arbitrary_nst` is the command `arbitrary-nst`."""

import sys

from arbitrary_nst.cli import main

sys.exit(main())
