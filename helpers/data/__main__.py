"""`python -m helpers.data` fetches what the notebooks need, or what is named; `--verify` reads it again."""

import argparse
import sys

from helpers.data.articles import wikipedia
from helpers.data.catalogue import CATALOGUE
from helpers.data.fetching import cache_folder, fetch, repair, tidy
from helpers.data.files import DataError
from helpers.data.output import accept_any_text

ALL = "all"


def main() -> int:
    """Fetch the course's data, or with --verify read every file again and replace those that are damaged."""
    accept_any_text()
    parser = argparse.ArgumentParser(prog="python -m helpers.data", description=main.__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME",
        help=f"as in data/README.md, or {ALL}; without one, what the notebooks need, and with --verify also "
        "what was fetched besides",
    )  # fmt: skip
    parser.add_argument("--verify", action="store_true", help="compare the SHA-256 of every file")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in (*CATALOGUE, ALL)]:
        parser.error(f"there is no data called {unknown[0]!r}; choose from {', '.join(CATALOGUE)}, {ALL}")
    try:
        names = _chosen(options.names, options.verify)
        for name in names:
            tidy(name)
            for file in repair(name) if options.verify else ():
                print(f"{name}/{file} is missing or damaged: it is made or fetched anew")
            fetch(name)
        if "wikipedia" in names:
            wikipedia()
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"The data are in {cache_folder()}: {', '.join(names)}")
    return 0


def _chosen(names: list[str], verifying: bool) -> list[str]:
    """The entries of the catalogue that a command is about."""
    if names:
        return [name for name in CATALOGUE if name in names or ALL in names]
    folder = cache_folder()
    return [
        name for name, package in CATALOGUE.items()
        if not package.on_demand or verifying and (folder / name).exists()
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
