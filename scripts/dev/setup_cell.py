# Set-up: find the course on this computer (on Colab: fetch it first), then check the packages.
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = "https://github.com/bert-from-the-ground-up/bert-from-the-ground-up"

here = Path.cwd()
course = next((p for p in (here, *here.parents) if (p / "helpers" / "environment.py").is_file()), None)
if course is None and ("google.colab" in sys.modules or "COLAB_RELEASE_TAG" in os.environ):
    course = here / REPOSITORY.rsplit("/", 1)[-1]
    if not course.is_dir():
        failed, words = subprocess.getstatusoutput(f'git clone --quiet --depth 1 {REPOSITORY} "{course}"')
        if failed:
            raise RuntimeError(f"The course could not be fetched from {REPOSITORY}: {words or failed}")
if course is None:
    raise FileNotFoundError(f"No folder above {here} holds helpers/: start Jupyter in the course's folder.")
if sys.path[0] != str(course):
    sys.path.insert(0, str(course))

from helpers import environment

settings = environment.set_up()
