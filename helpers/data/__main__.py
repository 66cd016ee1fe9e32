"""`python -m helpers.data` fetches everything; `--verify` reads every file again."""

import sys

from helpers.data import main

sys.exit(main())
