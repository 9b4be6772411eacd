import sys

from arbitrary_nst.cli.console import main

sys.exit(main())
