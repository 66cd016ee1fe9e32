"""`python -m helpers.data` fetches everything; `--verify` reads every file again."""

import argparse
import sys

from helpers.data.articles import wikipedia
from helpers.data.catalogue import CATALOGUE
from helpers.data.fetching import cache_folder, fetch, repair, tidy
from helpers.data.files import DataError
from helpers.data.output import accept_any_text


def main() -> int:
    """Fetch everything, or with --verify read every file again and replace those that are damaged."""
    accept_any_text()
    parser = argparse.ArgumentParser(prog="python -m helpers.data", description=main.__doc__)
    parser.add_argument("--verify", action="store_true", help="compare the SHA-256 of every file")
    verifying = parser.parse_args().verify
    try:
        for name in CATALOGUE:
            tidy(name)
            for file in repair(name) if verifying else ():
                print(f"{name}/{file} is missing or damaged: it is made or fetched anew")
            fetch(name)
        wikipedia()
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"The data are in {cache_folder()}: {', '.join(CATALOGUE)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
