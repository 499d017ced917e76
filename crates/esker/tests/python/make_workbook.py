"""Writes a workbook of one sheet, `Work`, whole and at once: .xlsx with openpyxl, .ods as its specification says.

usage: make_workbook.py FILE ROW… (cells with commas between them)
"""

import os
import sys
import zipfile
from xml.sax.saxutils import escape

import openpyxl

path, *lines = sys.argv[1:]
rows = [line.split(",") for line in lines]
aside = path + ".new"
if path.endswith(".xlsx"):
    book = openpyxl.Workbook()
    book.active.title = "Work"
    for row in rows:
        book.active.append([int(cell) if cell.isdigit() else cell for cell in row])
    book.save(aside)
else:
    def cell(text):
        kind = f'float" office:value="{text}' if text.isdigit() else "string"
        return f'<table:table-cell office:value-type="{kind}"><text:p>{escape(text)}</text:p></table:table-cell>'

    table = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    names = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text"))
    content = f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names} office:version="1.3"><office:body>' \
        f'<office:spreadsheet><table:table table:name="Work">{table}</table:table></office:spreadsheet></office:body>' \
        "</office:document-content>"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">' \
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>' \
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    with zipfile.ZipFile(aside, "w") as archive:
        for name, text in (("mimetype", kind), ("META-INF/manifest.xml", manifest), ("content.xml", content)):
            archive.writestr(name, text)
os.replace(aside, path)
