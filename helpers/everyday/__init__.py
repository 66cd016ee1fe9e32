"""A classifier for one's own table: what `scripts/classify.py` does, in functions.

tables      `read_table` and `write_table`: CSV, TSV and JSON lines, every value as it was written
delimited   comma, semicolon or tab, found out; quotes
json_lines  one object a line
decoding    bytes to text; a wrong encoding is named with the byte's place
errors      `InputError`, whose message is a whole sentence
"""

from helpers.everyday.errors import InputError
from helpers.everyday.tables import Table, check_output, read_table, write_table

__all__ = ["InputError", "Table", "check_output", "read_table", "write_table"]
