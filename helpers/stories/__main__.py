"""`python -m helpers.stories` writes the files in data/stories/ anew; `--check` compares them."""

import sys

from helpers.stories import main

sys.exit(main())
