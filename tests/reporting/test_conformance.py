"""What the PDF declares of itself, read back with another library than wrote it: as far as that goes, and no further.

No validator of PDF/A runs here, so nothing here says that the file conforms; the report and the README say the same.
"""

from __future__ import annotations

import runpy
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pikepdf
import pytest

from tests.reporting.sealing import write

CSV = (
    "access.csv", "changes.csv", "findings.csv", "licences.csv", "population.csv", "reach.csv", "reconciliation.csv",
    "rules.csv", "trend.csv",
)  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fill = runpy.run_path(str(Path(__file__).with_name("conftest.py")))["fill"]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        fill(connection, findings=12, changes=5, exceptions=(20, -3), exclusions=1)
        result = write(connection, tmp_path_factory.mktemp("conformance"), "pdf")
    return result.folder


@pytest.fixture(params=["access-review.pdf", "access-review-evidence.pdf"])
def pdf(written: Path, request: pytest.FixtureRequest) -> Iterator[pikepdf.Pdf]:
    with pikepdf.open(written / request.param) as opened:
        yield opened


def elements(node: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """Yield every structure element below a node."""
    children = node.get("/K", [])
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            yield child
            yield from elements(child)


def test_the_pdf_declares_pdf_a_3a(pdf):
    with pdf.open_metadata() as metadata:
        assert metadata["pdfaid:part"] == "3"
        assert metadata["pdfaid:conformance"] == "A"
        assert metadata["dc:title"].endswith("ccess review of Example Corp, as of 1 Nov 2026")


def test_colours_have_an_output_intent_with_its_profile(pdf):
    [intent] = pdf.Root.OutputIntents

    assert intent.S == "/GTS_PDFA1"
    assert len(intent.DestOutputProfile.read_bytes()) > 100


def test_every_file_embedded_in_the_evidence_equals_the_csv_on_disk_and_is_described(written):
    with pikepdf.open(written / "access-review-evidence.pdf") as evidence:
        related = {str(spec.UF): spec for spec in evidence.Root.AF}

        assert sorted(related) == sorted(CSV)
        for name, spec in related.items():
            assert spec.AFRelationship == "/Data"
            assert spec.EF.F.read_bytes() == (written / name).read_bytes()
            assert "/ModDate" in spec.EF.F.Params


def test_the_report_to_read_embeds_no_file(written):
    with pikepdf.open(written / "access-review.pdf") as brief:
        assert "/AF" not in brief.Root


def test_it_is_tagged_with_language_and_title(pdf):
    assert bool(pdf.Root.MarkInfo.Marked)
    assert str(pdf.Root.Lang) == "en"
    assert pdf.Root.ViewerPreferences.DisplayDocTitle
    assert all("/StructParents" in page for page in pdf.pages)


def test_headings_tables_and_links_are_tagged_as_such(pdf):
    tags = Counter(str(element.S) for element in elements(pdf.Root.StructTreeRoot))

    assert tags["/H1"] >= 7  # the cover and the sections
    assert tags["/H2"] >= 8
    assert tags["/TH"] > 30
    assert tags["/TD"] > 100
    assert tags["/Link"] > 4


def test_every_figure_has_a_text_alternative(written):
    with pikepdf.open(written / "access-review.pdf") as brief:
        figures = [each for each in elements(brief.Root.StructTreeRoot) if each.S == "/Figure"]

    assert len(figures) == 1  # the trend
    assert all(str(figure.get("/Alt", "")) for figure in figures)


def test_every_font_is_embedded(pdf):
    bare = set()
    for page in pdf.pages:
        for font in page.Resources.get("/Font", {}).values():
            [descendant] = font.DescendantFonts
            descriptor = descendant.FontDescriptor
            if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor.keys()):
                bare.add(str(font.BaseFont))
    assert bare == set()


def test_the_pdf_has_no_scripts_and_no_external_references(pdf):
    for page in pdf.pages:
        for annotation in page.get("/Annots", []):
            assert annotation.get("/A", {}).get("/S", "/GoTo") == "/GoTo"
    assert "/OpenAction" not in pdf.Root
    assert "/AA" not in pdf.Root
    assert "/JavaScript" not in pdf.Root.get("/Names", {})
