"""What a page says of itself, however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logicspike.page_summary import PageSummary, SummaryReader

BOM = b"\xef\xbb\xbf"


def read(page: bytes | str, charset: str | None = "utf-8", *, size: int = 16 * 1024) -> PageSummary:
    content = page.encode() if isinstance(page, str) else page
    reader = SummaryReader(charset)
    for start in range(0, len(content), size):
        reader.feed(content[start : start + size])
    return reader.finish()


def test_open_graph_comes_first():
    summary = read(
        """<!doctype html><html><head><title>Plain</title>
        <meta name="description" content="Plain description">
        <meta name="twitter:title" content="Bird"><meta name="twitter:description" content="Bird description">
        <meta name="twitter:image" content="/bird.png">
        <meta property="og:title" content="Graph"><meta property="og:description" content="Graph description">
        <meta property="og:image" content="/graph.png"><meta property="og:image:alt" content="A graph"></head>"""
    )
    assert (
        PageSummary(title="Graph", description="Graph description", picture="/graph.png", picture_alt="A graph")
        == summary
    )


def test_then_the_twitter_card():
    summary = read(
        """<title>Plain</title><meta name="description" content="Plain description">
        <meta name="twitter:title" content="Bird"><meta property="twitter:description" content="Bird description">
        <meta name="twitter:image:src" content="/bird.png"><meta name="twitter:image:alt" content="A bird">"""
    )
    assert (
        PageSummary(title="Bird", description="Bird description", picture="/bird.png", picture_alt="A bird") == summary
    )


def test_then_the_page_itself():
    assert PageSummary(title="Plain", description="Said plainly") == read(
        "<html><head><title>\n  Plain\n</title><meta content='Said plainly' name=Description></head>"
    )


@pytest.mark.parametrize("page", ["", " ", "<", "<html>", "<title></title>", "<title>\n</title>", "just text",
                                  "<meta>", "<meta content=x>", "<meta property=og:title>", "<!doctype", "\0\0\0",
                                  "<meta property='og:title' content=' '>", "<meta name='' content=x>"])  # fmt: skip
def test_a_page_that_says_nothing_has_an_empty_summary(page):
    assert PageSummary() == read(page)


def test_an_empty_word_gives_way_to_the_next():
    assert "Plain" == read('<meta property="og:title" content=""><title>Plain</title>').title


def test_the_first_of_two_counts():
    summary = read(
        '<meta property="og:image" content="/1.png"><meta property="og:image" content="/2.png"><title>1</title>'
        '<title>2</title><meta name="description" name="keywords" content="1"><meta name="description" content="2">'
    )
    assert PageSummary(title="1", description="1", picture="/1.png") == summary


def test_the_safe_address_of_a_picture_is_preferred():
    assert (
        "https://a.example/1"
        == read(
            '<meta property="og:image" content="http://a.example/1">'
            '<meta property="og:image:secure_url" content="https://a.example/1">'
        ).picture
    )


def test_what_stands_in_the_body_is_not_the_head():
    assert PageSummary(title="Head") == read(
        '<head><title>Head</title></head><body><meta property="og:title" content="Body"><svg><title>x</title></svg>'
    )
    assert PageSummary() == read('<head></head><title>Late</title><meta property="og:title" content="Late">')
    assert PageSummary() == read('<body><meta property="og:title" content="Late">')


def test_comments_and_scripts_are_not_the_head():
    assert PageSummary(title="Real") == read(
        '<!-- <title>Comment</title> --><script>\'<meta property="og:title" content="Script"></head>\'</script>'
        "<style>a{content:'<title>Style</title>'}</style><title>Real</title>"
    )


def test_character_references_are_resolved():
    summary = read('<title>Tom &amp; Jerry&#8217;s &eacute;</title><meta name=description content="&lt;b&gt; &quot;">')
    assert PageSummary(title="Tom & Jerry’s é", description='<b> "') == summary


def test_words_come_on_one_line_without_what_turns_or_hides_them():
    summary = read("<title>\u202eevil\u202c \x07 a\u00a0\n\t b\x00 👩‍👩‍👧 e\u0301</title>")
    assert "evil a b 👩‍👩‍👧 \u00e9" == summary.title.replace("\ufffd", "")


def test_long_words_are_cut():
    summary = read(f"<title>{'a ' * 5000}</title><meta name=description content='{'b' * 5000}'>")
    assert 300 >= len(summary.title)
    assert summary.title.endswith("a…")
    assert f"{'b' * 999}…" == summary.description


@pytest.mark.parametrize(
    ("text", "encoding", "label"),
    [
        ("Grüße", "utf-8", "UTF8"), ("Grüße", "latin-1", "ISO-8859-1"), ("Grüße “so”", "windows-1252", "iso-8859-1"),
        ("Привет", "windows-1251", "cp1251"), ("Привет", "koi8-r", "koi8-r"), ("日本語", "shift_jis", "x-sjis"),
        ("日本語", "euc-jp", "euc-jp"), ("日本語", "iso-2022-jp", "csiso2022jp"), ("汉字", "gbk", "GB2312"),
        ("漢字", "big5", "big5"), ("한국어", "euc-kr", "ks_c_5601-1987"), ("Grüße", "utf-16-le", "utf-16le"),
        ("Grüße", "mac-roman", "macintosh"),
    ],
)  # fmt: skip
def test_the_servers_word_on_the_encoding_is_taken(text, encoding, label):
    assert text == read(f"<title>{text}</title>".encode(encoding), label).title


@pytest.mark.parametrize("declared", ['<meta charset="windows-1251">', "<META CHARSET=windows-1251>",
                                      '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">',
                                      "<meta content='text/html;charset = \"cp1251\"' http-equiv=content-type>",
                                      ])  # fmt: skip
def test_without_it_the_pages_own_is_taken(declared):
    page = f"<html><head>{declared}<title>Привет</title>".encode("windows-1251")
    assert "Привет" == read(page, None).title
    assert "Привет" == read(page, "no-such-encoding").title
    assert "Привет" == read(page, None, size=7).title


def test_a_byte_order_mark_counts_most():
    assert "Привет" == read(BOM + "<title>Привет</title>".encode(), "windows-1251").title
    assert "Привет" == read("<title>Привет</title>".encode("utf-16"), None).title


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252"])
def test_with_no_word_at_all_utf_8_is_told_from_latin(encoding):
    assert "Grüße" == read("<title>Grüße</title>".encode(encoding), None).title


@pytest.mark.parametrize("label", ["punycode", "idna", "unicode_escape", "utf-7", "rot13", "hex", "zip", "undefined",
                                   "hz-gb-2312", "\udc80", "é", "", " " * 1000, "utf-16"])  # fmt: skip
def test_no_odd_codec_is_let_loose(label):
    """A page chooses the name; Python knows codecs that take minutes or raise."""
    read("<title>a-b\\u0041+AEE-</title>" * 100, label)
    escaped = label.encode("utf-8", "replace").decode()
    assert "a-b" in read(f"<meta charset='{escaped}'><title>a-b</title>", None).title or label == "hz-gb-2312"


def test_reading_is_done_once_the_head_is_over():
    reader = SummaryReader("utf-8")
    reader.feed(b"<html><head><title>a</title>" + b" " * 2000)
    assert not reader.is_done
    reader.feed(b"</head>")
    assert reader.is_done
    reader.feed(b'<meta property="og:title" content="b">')
    assert PageSummary(title="a") == reader.finish()


def test_a_tag_without_an_end_is_given_up():
    reader = SummaryReader("utf-8")
    reader.feed(b"<title>a</title><meta property='")
    for _ in range(100):
        if not reader.is_done:
            reader.feed(b"x" * 16 * 1024)
    assert reader.is_done
    assert PageSummary(title="a") == reader.finish()


@pytest.mark.parametrize(
    "broken", ["<![foo[bar]]>", "<![ x", "<![CDATA[x]]>", "<![if IE]>", "<![endif]-->", "<!x[[", "<![%"]
)
def test_a_declaration_that_makes_no_sense_ends_the_reading_and_no_more(broken):
    """Python's tokenizer raises on some of them."""
    reader = SummaryReader("utf-8")
    reader.feed(b"<title>a</title>" + b" " * 2000)
    reader.feed(broken.encode())
    reader.feed(b" <meta name=description content=b>")
    assert "a" == reader.finish().title


FRAGMENTS = ["<div>", "<a><div>", "<", "</", "<!--", "<!", "<?", "<meta ", "a=1 ", "<a b='", '"', ">", "&amp", "&#",
             "\0", "<template>", "<title>", "<script>", "<![CDATA[", "<p><b>", "</title>", "<svg>", "<meta charset=",
             "\x80"]  # fmt: skip


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_endlessly_the_same_costs_little(fragment):
    """What it holds back stays bounded, however much of it comes: here twice as much as it ever holds."""
    content = (fragment * (256 * 1024 // len(fragment))).encode()
    reader = SummaryReader("utf-8")
    for start in range(0, len(content), 16 * 1024):
        if reader.is_done:
            break
        reader.feed(content[start : start + 16 * 1024])
        assert len(reader._head.rawdata) <= 128 * 1024 + 16 * 1024
    reader.finish()


@given(st.binary(max_size=3000), st.sampled_from([None, "utf-8", "utf-16", "shift_jis", "x-user-defined", "nonsense"]))
def test_any_bytes_give_a_summary_that_can_be_sent(content, charset):
    summary = read(content, charset, size=100)
    "".join([summary.title, summary.description, summary.picture, summary.picture_alt]).encode()


MARKUP = st.text(alphabet="<>!?/[]-&;#=\"' \nabcdiftle\x00\u00e9", max_size=60)


@given(st.lists(MARKUP, max_size=10))
def test_any_heap_of_markup_gives_a_summary(parts):
    read("".join(parts), "utf-8", size=7)


@given(
    st.lists(
        st.sampled_from(
            [
                *FRAGMENTS,
                "<![",
                "<![if",
                "foo[",
                "<!x",
                "-->",
                "]]>",
                "<meta property='og:title' content='x'>",
                " ",
                "x",
                "</head>",
            ]
        )
    )
)
def test_any_heap_of_tags_gives_a_summary(parts):
    read("".join(parts), None, size=50)
