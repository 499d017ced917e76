"""Changes one cell of a workbook: edit_cell.py FILE SHEET CELL VALUE. Saves by renaming, as editors do."""

import os
import sys

import openpyxl


def main() -> None:
    path, sheet, cell, value = sys.argv[1:5]
    book = openpyxl.load_workbook(path)
    book[sheet][cell] = int(value) if value.lstrip("-").isdigit() else value
    book.save(path + ".new")
    os.replace(path + ".new", path)


if __name__ == "__main__":
    main()
