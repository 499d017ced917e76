#!/usr/bin/env python3
"""Makes plan.xlsx, the example's workbook, beside this script. The same script makes the same bytes.

Needs openpyxl: python3 -m pip install openpyxl
"""

import io
import re
import sys
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

START, END = date(2027, 1, 4), date(2027, 3, 26)
SKILLS = ["Design", "Mobile", "QA", "Server", "Web"]

PARAMS = [("Start", START), ("End", END), ("Skills", ", ".join(SKILLS))]

HOLIDAYS = [
    (date(2027, 1, 6), "Epiphany"),
    (date(2027, 1, 18), "Company day"),
    (date(2027, 2, 15), "Winter day"),
    (date(2027, 3, 8), "Spring holiday"),
    (date(2027, 3, 26), "Good Friday"),
]

# Role and number, team, track, skill, vacation.
STAFF = [
    ("Product designer 1", "Studio", "Checkout", "Design", "2027-02-01..2027-02-05"),
    ("Product designer 2", "Studio", "Catalog", "Design", ""),
    ("Product designer 3", "Studio", "Accounts", "Design", "2027-03-15..2027-03-19"),
    ("Mobile engineer 1", "Handset", "Mobile app", "Mobile", "2027-01-11..2027-01-15"),
    ("Mobile engineer 2", "Handset", "Mobile app", "Mobile", ""),
    ("Mobile engineer 3", "Handset", "Checkout", "Mobile", "2027-02-22; 2027-02-23"),
    ("Mobile engineer 4", "Handset", "Catalog", "Mobile", "2027-03-01..2027-03-12"),
    ("Test engineer 1", "Quality", "Checkout", "QA", ""),
    ("Test engineer 2", "Quality", "Mobile app", "QA", "2027-02-08..2027-02-12"),
    ("Test engineer 3", "Quality", "Platform", "QA", "2027-01-25"),
    ("Backend engineer 1", "Core", "Checkout", "Server", ""),
    ("Backend engineer 2", "Core", "Checkout", "Server", "2027-02-15..2027-02-19"),
    ("Backend engineer 3", "Core", "Platform", "Server", ""),
    ("Backend engineer 4", "Core", "Platform", "Server", "2027-01-04..2027-01-08"),
    ("Backend engineer 5", "Core", "Platform", "Server", "2027-03-22..2027-03-25"),
    ("Backend engineer 6", "Data", "Insights", "Server", ""),
    ("Backend engineer 7", "Data", "Insights", "Server", "2027-02-01, 2027-02-02, 2027-02-03"),
    ("Backend engineer 8", "Data", "Catalog", "Server", ""),
    ("Backend engineer 9", "Core", "Accounts", "Server", "2027-02-22..2027-03-05"),
    ("Frontend engineer 1", "Browser", "Checkout", "Web", ""),
    ("Frontend engineer 2", "Browser", "Checkout", "Web", "2027-01-11..2027-01-13"),
    ("Frontend engineer 3", "Browser", "Catalog", "Web", ""),
    ("Frontend engineer 4", "Browser", "Accounts", "Web", "2027-03-01..2027-03-05"),
    ("Frontend engineer 5", "Browser", "Insights", "Web", ""),
    ("Frontend engineer 6", "Browser", "Catalog", "Web", "2027-02-12; 2027-02-16"),
]

# In the order of rank: id, name, estimate, triage, track, value, prerequisites.
WORK = [
    ("CHK-1", "One-page checkout", "Design:2, Server:5, Web:6, QA:2", 1, "Checkout", 13, ""),
    ("PLT-1", "Zero-downtime deploys", "Server:6, QA:1", 1, "Platform", 8, ""),
    ("ACC-1", "Passkey sign-in", "Design:1, Server:3, Web:2.5", 1, "Accounts", 13, ""),
    ("MOB-1", "Offline basket", "Mobile:5, QA:2", 1, "Mobile app", 8, ""),
    ("CHK-2", "Instant refunds", "Server:4, Web:1.5, QA:1", 1, "Checkout", 8, "CHK-1"),
    ("CAT-1", "Faceted search", "Design:1.5, Server:4, Web:4", 1, "Catalog", 13, ""),
    ("INS-1", "Daily revenue report", "Server:3, Web:2", 1, "Insights", 8, ""),
    ("PLT-2", "Rate limits per partner", "Server:3", 1, "Platform", 5, "PLT-1"),
    ("MOB-2", "Push notifications by topic", "Mobile:3, QA:1", 1, "Mobile app", 8, ""),
    ("CHK-3", "Wallet payments", "Design:1, Mobile:2.5, Server:2, Web:2", 1, "Checkout", 13, "CHK-1"),
    ("ACC-2", "Delete my account", "Server:2, Web:1", 1, "Accounts", 5, ""),
    ("CAT-2", "Product pages that load in a second", "Web:3.5, Server:1", 1, "Catalog", 8, ""),
    ("INS-2", "Event stream of orders", "Server:4.5", 1, "Insights", 8, ""),
    ("MOB-3", "Biometric unlock", "Mobile:2, QA:0.5", 1, "Mobile app", 5, "ACC-1"),
    ("CHK-4", "Address completion", "Design:0.5, Web:1.5, Server:1", 1.5, "Checkout", 5, ""),
    ("PLT-3", "Restore drill every week", "Server:2, QA:0.5", 1.5, "Platform", 5, ""),
    ("CAT-3", "Scan a barcode to search", "Design:0.5, Mobile:3", 1.5, "Catalog", 5, "CAT-1"),
    ("ACC-3", "Family accounts", "Design:2, Server:3, Web:2", 1.5, "Accounts", 8, "ACC-1"),
    ("INS-3", "Funnel dashboard", "Design:1, Server:1.5, Web:2.5", 1.5, "Insights", 5, "INS-2"),
    ("MOB-4", "Tablet layout", "Mobile:4, QA:1", 1.5, "Mobile app", 5, ""),
    ("CHK-5", "Pay in three parts", "Design:1, Server:3, Web:2, QA:1", 1.5, "Checkout", 8, "CHK-3"),
    ("PLT-4", "Move images to object storage", "Server:4", 1.5, "Platform", 5, ""),
    ("CAT-4", "Wish lists", "Design:1, Server:1.5, Web:2", 1.5, "Catalog", 5, ""),
    ("ACC-4", "Sessions overview", "Web:1, Server:1", 1.5, "Accounts", 3, ""),
    ("MOB-5", "Deep links", "Mobile:1.5, Server:0.5, QA:0.5", 1.5, "Mobile app", 5, ""),
    ("PLT-5", "Trace every request", "Server:2.5, QA:0.5", 1.5, "Platform", 5, ""),
    ("INS-4", "Alert when orders drop", "Server:2", 1.5, "Insights", 8, "INS-2"),
    ("CHK-6", "Gift cards", "Design:1, Server:2.5, Web:2, QA:1", 2, "Checkout", 5, ""),
    ("CAT-5", "Compare products", "Design:1, Web:2.5", 2, "Catalog", 3, ""),
    ("MOB-6", "Home screen widgets", "Design:0.5, Mobile:3", 2, "Mobile app", 3, ""),
    ("ACC-5", "Export my data", "Server:1.5, Web:0.5", 2, "Accounts", 3, ""),
    ("PLT-6", "Partner sandbox", "Server:3.5, QA:1.5", 2, "Platform", 5, "PLT-2"),
    ("CHK-7", "Save the basket across devices", "Server:1.5, Web:1, Mobile:1.5", 2, "Checkout", 5, "MOB-1"),
    ("CAT-6", "Reviews with photos", "Design:1, Mobile:1.5, Server:2, Web:2", 2, "Catalog", 5, ""),
    ("INS-5", "Cohort report", "Server:2, Web:1.5", 2, "Insights", 3, "INS-1"),
    ("MOB-7", "Start in under two seconds", "Mobile:2.5, QA:1", 2, "Mobile app", 5, ""),
    ("ACC-6", "Organisation accounts", "Design:1.5, Server:4, Web:2.5", 2, "Accounts", 8, "ACC-3"),
    ("PLT-7", "Second region, read only", "Server:8, QA:2", 2, "Platform", 8, "PLT-1"),
    ("CHK-8", "Invoices as PDF", "Server:1.5, Web:0.5", 2, "Checkout", 3, ""),
    ("CAT-7", "Stock by shop", "Server:2, Web:1, Mobile:1", 2, "Catalog", 5, ""),
    ("INS-6", "Forecast of demand", "Server:5, Web:1", 2, "Insights", 5, "INS-2"),
    ("MOB-8", "Accessibility review", "Design:1, Mobile:2, QA:1.5", 2, "Mobile app", 5, ""),
    ("CHK-9", "Checkout in twelve languages", "Design:0.5, Web:2, QA:1.5", 2.5, "Checkout", 5, "CHK-1"),
    ("PLT-8", "Upgrade the database", "Server:3, QA:1", 2.5, "Platform", 5, "PLT-3"),
    ("CAT-8", "Bundles", "Design:0.5, Server:2, Web:1.5", 2.5, "Catalog", 3, ""),
    ("ACC-7", "Newsletter preferences", "Web:1, Server:0.5", 2.5, "Accounts", 2, ""),
    ("MOB-9", "Share a product", "Mobile:1, QA:0.5", 2.5, "Mobile app", 2, "MOB-5"),
    ("INS-7", "Ask in plain words", "Design:1, Server:4, Web:2", 2.5, "Insights", 3, "INS-1"),
    ("CAT-9", "Seasonal landing pages", "Design:2, Web:2", 2.5, "Catalog", 3, ""),
    ("PLT-9", "Retire the old gateway", "Server:2.5", 2.5, "Platform", 3, "PLT-6"),
    ("CHK-10", "Subscriptions", "Design:1.5, Server:5, Web:3, QA:2", 3, "Checkout", 8, "CHK-3"),
    ("MOB-10", "Watch app", "Design:1.5, Mobile:6, QA:2", 3, "Mobile app", 2, ""),
    ("CAT-10", "Look at it in your room", "Design:2, Mobile:5", 3, "Catalog", 3, ""),
    ("ACC-8", "Loyalty points", "Design:1.5, Server:4, Web:2", 3, "Accounts", 5, "ACC-3"),
    ("INS-8", "Self-service exports", "Server:2, Web:1.5", 3, "Insights", 3, "ACC-5"),
    ("PLT-10", "Cost per request", "Server:1.5", 3, "Platform", 2, "PLT-5"),
    ("CHK-11", "Donate the change", "Design:0.5, Server:1, Web:0.5", 3, "Checkout", 2, ""),
    ("CAT-11", "Recommendations at the shelf", "Mobile:3, Server:3", 3, "Catalog", 3, "CAT-3"),
    ("ACC-9", "Profile pictures", "Design:0.5, Web:0.5, Server:0.5", 3, "Accounts", 1, ""),
    ("MOB-11", "Dark theme", "Design:1, Mobile:1.5, QA:0.5", 3, "Mobile app", 2, ""),
]

TEAMS = {
    "Checkout": "Core",
    "Catalog": "Browser",
    "Accounts": "Browser",
    "Insights": "Data",
    "Mobile app": "Handset",
    "Platform": "Core",
}

HEAD_FONT = Font(bold=True, color="FFFFFF")
HEAD_FILL = PatternFill("solid", fgColor="2F4B6E")
HEAD_LINE = Border(bottom=Side(style="medium", color="1B2D45"))
BAND_FILL = PatternFill("solid", fgColor="F2F5F9")
DATE_FORMAT = "yyyy-mm-dd"
MADE = datetime(2027, 1, 1)


def sheet(book, name, heads, widths, rows):
    """Adds a sheet with bold headings that stay, banded rows and real dates."""
    page = book.create_sheet(name)
    page.append(heads)
    for row in rows:
        page.append(row)
    for column, width in enumerate(widths, 1):
        page.column_dimensions[get_column_letter(column)].width = width
        head = page.cell(1, column)
        head.font, head.fill, head.border = HEAD_FONT, HEAD_FILL, HEAD_LINE
        head.alignment = Alignment(vertical="center")
    page.row_dimensions[1].height = 20
    for number, cells in enumerate(page.iter_rows(min_row=2)):
        for cell in cells:
            if number % 2:
                cell.fill = BAND_FILL
            if isinstance(cell.value, date):
                cell.number_format = DATE_FORMAT
                cell.alignment = Alignment(horizontal="left")
    page.freeze_panes = "A2"
    if page.max_row > 1 and name != "Params":
        page.auto_filter.ref = page.dimensions
    return page


def workbook():
    book = Workbook()
    book.remove(book.active)
    sheet(book, "Params", ["Name", "Value"], [14, 40], PARAMS)
    sheet(book, "Holidays", ["Date", "Name"], [14, 28], HOLIDAYS)
    staff = [
        (number, name, team, track, skill, vacation or None)
        for number, (name, team, track, skill, vacation) in enumerate(STAFF, 1)
    ]
    heads = ["Id", "Name", "Team", "Track", "Skill", "Vacation"]
    sheet(book, "Staff", heads, [6, 24, 12, 14, 12, 40], staff)
    work = [
        (item, rank, name, estimate, triage, track, TEAMS[track], value, prereqs or None)
        for rank, (item, name, estimate, triage, track, value, prereqs) in enumerate(WORK, 1)
    ]
    heads = ["Id", "Rank", "Name", "Estimate", "Triage", "Track", "Team", "Value", "Prereqs"]
    page = sheet(book, "Work", heads, [10, 7, 40, 40, 9, 14, 12, 8, 12], work)
    page.freeze_panes = "D2"
    triages = DataValidation(type="list", formula1='"1,1.5,2,2.5,3"', allow_blank=True)
    page.add_data_validation(triages)
    triages.add(f"E2:E{page.max_row}")
    book.active = book.sheetnames.index("Work")
    book.properties.creator = "make_plan.py"
    book.properties.created = MADE
    return book


def without_clock(packed):
    """The same workbook with every time in it set to one, so that the bytes depend on the data alone."""
    out = io.BytesIO()
    stamp = MADE.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(io.BytesIO(packed)) as source, zipfile.ZipFile(out, "w") as target:
        for name in sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, content)
            entry = zipfile.ZipInfo(name, (2027, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return out.getvalue()


def main():
    packed = io.BytesIO()
    workbook().save(packed)
    path = Path(__file__).with_name("plan.xlsx")
    path.write_bytes(without_clock(packed.getvalue()))
    days = sum((START + timedelta(day)).weekday() < 5 for day in range((END - START).days + 1))
    print(f"{path}: {len(WORK)} items, {len(STAFF)} people, {days} weekdays", file=sys.stderr)


if __name__ == "__main__":
    main()
