"""The code of the course: modules that notebooks teach, and rooms of support for them (README.md)."""
