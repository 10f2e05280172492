"""TTML: all forms of its times, nested ones, styles by name and inline, and documents that were made to hurt."""

from __future__ import annotations

import pytest

from storage.captions.cues import Cue
from storage.captions.reading import Format, cues_of
from storage.captions.side_files import converted
from storage.subtitle_errors import SubtitleTooLargeError, SubtitleUnreadableError

NAMES = 'xmlns:tts="http://www.w3.org/ns/ttml#styling" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"'


def read(body: str, head: str = "", **root: str) -> list[Cue]:
    """Return the cues of a document."""
    told = " ".join(f'ttp:{name}="{value}"' for name, value in root.items())
    return list(cues_of(f"<tt {NAMES} {told}><head>{head}</head><body>{body}</body></tt>", Format.TTML))


@pytest.mark.parametrize(
    ("begin", "root", "milliseconds"),
    [
        ("01:02:03.5", {}, 3_723_500),
        ("100:00:00", {}, 360_000_000),
        ("00:00:01:15", {}, 1500),
        ("00:00:01:10", {"frameRate": "25"}, 1400),
        ("00:00:01:10.1", {"frameRate": "25", "subFrameRate": "2"}, 1420),
        ("00:00:01:12", {"frameRate": "24", "frameRateMultiplier": "1000 1001"}, 1500),
        ("00:01:00:00", {"frameRate": "30", "frameRateMultiplier": "1000 1001", "timeBase": "smpte"}, 60_060),
        (
            "00:10:00:00",
            {"frameRate": "30", "frameRateMultiplier": "1000 1001", "timeBase": "smpte", "dropMode": "dropNTSC"},
            599_999,
        ),
        ("1.5h", {}, 5_400_000),
        ("2m", {}, 120_000),
        ("2.25s", {}, 2250),
        ("250ms", {}, 250),
        ("50f", {"frameRate": "25"}, 2000),
        ("15000000t", {"tickRate": "10000000"}, 1500),
        ("50t", {"frameRate": "25"}, 2000),
        (" 2s ", {"frameRate": "0", "frameRateMultiplier": "0 0"}, 2000),
    ],
)
def test_every_form_of_a_time_is_read(begin: str, root: dict[str, str], milliseconds: int) -> None:
    """Of a clock, with frames, as an offset, in frames and in ticks."""
    (cue,) = read(f'<p begin="{begin}" dur="1s">x</p>', **root)
    assert (cue.start, cue.end) == (milliseconds, milliseconds + 1000)


@pytest.mark.parametrize("begin", ["x", "1", "-1s", "1:2", "9" * 50 + "s", "wallclock(1)", "\u0661s"])
def test_what_is_no_time_is_none(begin: str) -> None:
    """It is as if it were not there."""
    assert read(f'<p begin="{begin}" end="1s">x</p>') == [Cue(0, 1000, "x")]


def test_times_are_within_those_around_them() -> None:
    """One counts from the other, and ends with it; some follow each other."""
    assert read(
        '<div begin="10s" end="20s"><p begin="1s" end="2s">a</p><p begin="5s" dur="60s">b</p><p>c</p>'
        '<p begin="1s" end="9s" dur="3s">d</p></div>'
        '<div begin="30s" timeContainer="seq"><p dur="1s">e</p><p begin="1s" dur="1s">f</p></div>'
    ) == [
        Cue(11_000, 12_000, "a"),
        Cue(15_000, 20_000, "b"),
        Cue(10_000, 20_000, "c"),
        Cue(11_000, 14_000, "d"),
        Cue(30_000, 31_000, "e"),
        Cue(32_000, 33_000, "f"),
    ]


def test_parts_of_a_paragraph_come_and_go() -> None:
    """Each at its own times; with more of them than people write, all at once."""
    spans = '<p begin="1s" end="5s">a <span begin="1s">b</span> <span begin="2s" end="3s">c</span></p>'
    assert read(spans) == [
        Cue(1000, 2000, "a"),
        Cue(2000, 3000, "a b"),
        Cue(3000, 4000, "a b c"),
        Cue(4000, 5000, "a b"),
    ]
    words = "".join(f'<span begin="{n}s">{n} </span>' for n in range(60))
    assert [(cue.start, cue.end) for cue in read(f'<p begin="1s" end="2m">{words}</p>')] == [(1000, 120_000)]


STYLES = """<styling>
<style xml:id="a" tts:fontStyle="italic"/><style xml:id="b" style="a" tts:fontWeight="bold"/>
</styling>
<layout>
<region xml:id="top" tts:origin="10% 5%" tts:extent="80% 20%" tts:displayAlign="after"/>
<region xml:id="low" tts:origin="10% 75%" tts:displayAlign="before"/>
<region xml:id="cells" tts:origin="1c 2c" tts:extent="20c 3c"/>
<region xml:id="pixels"><style tts:origin="0px 600px"/><style tts:fontStyle="italic"/></region>
<region xml:id="plain"/>
</layout>"""


@pytest.mark.parametrize(
    ("paragraph", "text", "top"),
    [
        ("<p>plain <span tts:fontStyle='italic'>one</span></p>", "plain <i>one</i>", False),
        ("<p style='a'>by name</p>", "<i>by name</i>", False),
        ("<p style='b'>of <span tts:fontWeight='normal'>both</span></p>", "<b><i>of </i></b><i>both</i>", False),
        ("<p tts:textDecoration='underline'>u</p>", "<u>u</u>", False),
        ("<p style='nobody a'>x</p>", "<i>x</i>", False),
        ("<p region='top'>x</p>", "x", True),
        ("<p region='low'>x</p>", "x", False),
        ("<p region='cells'>x</p>", "x", True),
        ("<p region='pixels'>x</p>", "<i>x</i>", False),
        ("<p region='plain'>x</p>", "x", False),
        ("<p region='nowhere'>x</p>", "x", False),
        ("<p>\n  a\n  b <br/>\n  c\n</p>", "a b\nc", False),
        ("<p xml:space='preserve'>a\nb</p>", "a\nb", False),
        ("<p>a &lt;i&gt; &amp; <![CDATA[<b>]]></p>", "a &lt;i&gt; &amp; &lt;b&gt;", False),
        ("<p>a<metadata>no</metadata><x:desc xmlns:x='y'>no</x:desc><set/></p>", "a", False),
        ("<p>base<span tts:ruby='text'>no</span></p>", "base", False),
        ("<p><span tts:display='none'>no</span>yes</p>", "yes", False),
    ],
)
def test_what_our_webvtt_can_show_is_shown(paragraph: str, text: str, top: bool) -> None:  # noqa: FBT001 - a table
    """Styles by name, inline and of regions; places are above or below."""
    (cue,) = read(f"<div begin='1s' end='2s'>{paragraph}</div>", STYLES)
    assert (cue.text, cue.top) == (text, top)


@pytest.mark.parametrize("prefix", ["", "tt:"])
def test_a_document_may_call_its_elements_anything(prefix: str) -> None:
    """And stand behind a declaration, a comment or another document, as in MP4."""
    names = {"": "", "tt:": ' xmlns:tt="http://www.w3.org/ns/ttml"'}[prefix]
    document = f'<?xml version="1.0" encoding="x"?>\n<{prefix}tt{names}><{prefix}body><{prefix}p end="1s">x</{prefix}p>'
    document += f"</{prefix}body></{prefix}tt>\n"
    assert list(cues_of(document * 2, Format.TTML)) == [Cue(0, 1000, "x")] * 2
    assert converted(b"\xef\xbb\xbf<!-- \xc3\xa9 -->" + document.partition("?>")[2].encode(), "").endswith(b"\nx\n")


HOSTILE = {
    "entities": '<!DOCTYPE tt [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><tt><body><p end="1s">&b;</p></body></tt>',
    "a file": '<!DOCTYPE tt [<!ENTITY a SYSTEM "file:///etc/passwd">]><tt><body><p end="1s">&a;</p></body></tt>',
    "a declaration elsewhere": '<!DOCTYPE tt SYSTEM "http://127.0.0.1/x.dtd"><tt><body><p end="1s">x</p></body></tt>',
    "no name": "<tt><body><p end='1s'>&nbsp;x</p></body></tt>",
    "depth": "<tt>" + "<div>" * 60 + "<p end='1s'>x</p>",
    "a page": "<html><tt>x</tt></html>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_has_no_cue(name: str) -> None:
    """Nothing is declared, expanded or opened."""
    with pytest.raises(SubtitleUnreadableError):
        converted(HOSTILE[name].encode(), "en")


@pytest.mark.parametrize("text", ["<p/>" * 500_000, "</tt>" * 100_000])
def test_there_are_only_so_many_elements(text: str) -> None:
    """Of all documents together."""
    with pytest.raises(SubtitleTooLargeError):
        list(cues_of(f"<tt><body>{text}", Format.TTML))


def test_a_document_that_breaks_off_has_what_was_before() -> None:
    """As far as it can be read."""
    assert list(cues_of('<tt><body><p end="1s">x</p><p end="2s', Format.TTML)) == [Cue(0, 1000, "x")]
