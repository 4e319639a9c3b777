"""XML of strangers: what it may not do."""

import time

import pytest

from pipelines.collection.recording import markup
from tests.pipelines.collection.recording.files import strokes, unusable

TRACE = "<trace>1 2, 3 4</trace>"

# A thousand million laughs, if they were told.
LAUGHS = "".join(
    f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "1 2,"}">' for i in range(10)
)


@pytest.mark.parametrize(
    ("declared", "used", "name"),
    [
        (LAUGHS, "&l9;", "l0"),
        ('<!ENTITY s SYSTEM "file:///etc/passwd">', "&s;", "s"),
        ('<!ENTITY % p SYSTEM "http://localhost/a.dtd"> %p;', "1 2, 3 4", "p"),
        ('<!ENTITY ns "http://www.w3.org/2000/svg">', "1 2, 3 4", "ns"),
    ],
)
def test_entities_are_refused_where_they_are_declared(declared, used, name, tmp_path):
    text = f"<!DOCTYPE ink [{declared}]><ink><trace>{used}</trace></ink>"
    begun = time.perf_counter()
    assert unusable(tmp_path, text) == (
        f"declares the entity {name!r}: save it without a DOCTYPE, as plain SVG or "
        "InkML"
    )
    assert time.perf_counter() - begun < 5


def test_a_doctype_is_read_over_and_nothing_fetched(tmp_path):
    # Old programs begin every SVG so.
    text = (
        '<?xml version="1.0" standalone="no"?><!-- made by hand -->'
        '<!DOCTYPE ink PUBLIC "-//W3C//DTD SVG 1.1//EN" "missing.dtd">'
        f"<ink>{TRACE}</ink>"
    )
    assert strokes(tmp_path, text) == [[(1, 2), (3, 4)]]


def test_elements_attributes_and_text():
    found = markup.parse(b"<a:b xmlns:a='u' c='1' d:e='2'>f<g>h&lt;</g>i</a:b>")
    assert (found.name, found.text) == ("b", "fi")
    assert found.attributes == {"xmlns:a": "u", "c": "1", "d:e": "2"}
    assert [(e.name, e.text) for e in found.every()] == [("b", "fi"), ("g", "h<")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings(encoding, tmp_path):
    said = "utf-8" if encoding == "utf-8-sig" else encoding
    text = f"<?xml version='1.0' encoding='{said}'?><ink><a>é</a>{TRACE}</ink>"
    assert strokes(tmp_path, text.encode(encoding)) == [[(1, 2), (3, 4)]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            f"<ink>{TRACE}",
            "holds no drawing: its XML is damaged, no element found: line 1, column 28",
        ),
        (
            "<ink><trace></ink>",
            "holds no drawing: its XML is damaged, mismatched tag: line 1, column 14",
        ),
        (
            "<ink>&none;</ink>",
            "holds no drawing: its XML is damaged, undefined entity: line 1, column 5",
        ),
        (
            "<?xml version='1.0' encoding='none'?><ink/>",
            "is in an unknown encoding: save its XML as UTF-8",
        ),
        (
            "<?xml version='1.0' encoding='utf-7'?><ink/>",
            "is in an unknown encoding: save its XML as UTF-8",
        ),
        (
            "<html><body/></html>",
            "is XML, <html>: it should be one of InkML, SVG, the tablet's JSON, JSON, "
            ".svc, UCI's .txt, a table",
        ),
        ("<ink>" * 1000, "is nested too deep: 100 elements of XML may be"),
        (
            f"<ink>{'<a/>' * 100_000}{TRACE}</ink>",
            "is too long: above 100000 elements of XML",
        ),
        (f"<ink>{TRACE}{' ' * (16 << 20)}</ink>", "is too long: above 16 MiB"),
    ],
)
def test_what_is_no_drawing_is_named(text, reason, tmp_path):
    assert unusable(tmp_path, text) == reason


def test_as_deep_as_may_be(tmp_path):
    deep = "<traceGroup>" * 98 + TRACE + "</traceGroup>" * 98
    assert strokes(tmp_path, f"<ink>{deep}</ink>") == [[(1, 2), (3, 4)]]
    reason = unusable(tmp_path, f"<ink><traceGroup>{deep}</traceGroup></ink>")
    assert reason == "is nested too deep: 100 elements of XML may be"
