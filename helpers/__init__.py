"""The code of the course: modules that notebooks teach, and rooms of support for them (README.md)."""

import sys

if sys.version_info < (3, 8):  # noqa: UP036 - what comes after can't even be read by it
    sys.exit("The course needs Python 3.11 or newer, and this is %s: %s" % (sys.version.split()[0], sys.executable))  # noqa: UP031, E501
