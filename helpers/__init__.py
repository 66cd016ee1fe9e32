"""The code of the course: one small module per notebook topic."""
