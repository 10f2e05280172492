"""Subtitles as people write them: each format is read to the letter, and what is no cue is passed over."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from storage.captions.cues import LONGEST_MILLISECONDS, MOST_CUES, Cue, on_timeline, one_at_a_time
from storage.captions.markup import LONGEST_CUE, MOST_LINES
from storage.captions.reading import MOST_LINES as MOST_LINES_READ
from storage.captions.reading import Format, cues_of
from storage.captions.webvtt import LONGEST_BYTES, subtitles_vtt
from storage.subtitle_errors import SubtitleTooLargeError

SRT = """1
00:00:01,000 --> 00:00:02,500
Hello <i>there</i>,
<font color="red">you</font> & me <3

2
00:00:03,000 --> 00:00:04,000
{\\an8}At the {top} <script>alert(1)</script>

3
00:00:05,46 --> 00:00:06.5
42
4
0:00:07 --> 0:00:08
- No number below

00:00:09,000 --> 00:00:10,000

line two

"""
VTT = """WEBVTT - a title

STYLE
::cue { background: url(http://example.com/) }

NOTE one --> two

intro
00:01.000 --> 00:02.500 line:0 position:20%
<v Bob>Hello</v> <i.loud>there</i> &amp; &lt;b&gt; <00:00:02.000><c>now</c>

100:00:03.000 --> 100:00:04.000 line:90%
<b>Late</b>
"""
ASS = """[Script Info]
Title: --> x
[V4+ Styles]
Format: Name, Fontname, Fontsize, Bold, Italic, Alignment
Style: Default,Arial,20,-1,0,2
Style: Sign,Arial,20,0,-1,8
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,not shown
Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,Hello, {\\i1}there{\\i0}\\N{\\blur2\\fs30}you {a comment}& <me>
Dialogue: 0,0:00:03.00,0:00:04.00,Sign,,0,0,0,,{\\pos(1,2)}At the top{\\r}
Dialogue: 0,0:00:05.00,0:00:06.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0{\\p0}shape
Dialogue: 0,0:00:07.00,0:00:08.00,Default,,0,0,0,,{\\an8\\b700}Bold{\\b400} \\{braces\\}\\hhere
Dialogue: garbage
"""
TTML = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling">
<head><layout><region xml:id="r" tts:displayAlign="before"/></layout></head>
<body><div>
<p begin="00:00:01.000" end="00:00:02.500">Hello <span tts:fontStyle="italic">there</span>,<br/>you &amp; me &lt;3</p>
<p begin="3s" dur="1s" region="r">At the top</p>
</div></body>
</tt>
"""
READ = {
    Format.SUBRIP: (
        SRT,
        [
            Cue(1000, 2500, "Hello <i>there</i>,\nyou &amp; me &lt;3"),
            Cue(3000, 4000, "At the {top} &lt;script&gt;alert(1)&lt;/script&gt;", top=True),
            Cue(5460, 6500, "42\n4"),
            Cue(7000, 8000, "- No number below"),
            Cue(9000, 10_000, "line two"),
        ],
    ),
    Format.WEBVTT: (
        VTT,
        [
            Cue(1000, 2500, "Hello <i>there</i> &amp; &lt;b&gt; now", top=True),
            Cue(360_003_000, 360_004_000, "<b>Late</b>"),
        ],
    ),
    Format.ASS: (
        ASS,
        [
            Cue(1000, 2500, "Hello, <i>there</i>\nyou &amp; &lt;me&gt;"),
            Cue(3000, 4000, "<i>At the top</i>", top=True),
            Cue(5000, 6000, "shape"),
            Cue(7000, 8000, "<b>Bold</b> {braces}\u00a0here", top=True),
        ],
    ),
    Format.TTML: (
        TTML,
        [
            Cue(1000, 2500, "Hello <i>there</i>,\nyou &amp; me &lt;3"),
            Cue(3000, 4000, "At the top", top=True),
        ],
    ),
}


@pytest.mark.parametrize("written", READ)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "dos", "mac"])
def test_a_file_is_read_to_the_letter(written: Format, end: str) -> None:
    """However its lines end."""
    text, cues = READ[written]
    assert list(cues_of(text.replace("\n", end), written)) == cues


@pytest.mark.parametrize("written", READ)
def test_what_we_write_is_read_as_it_was(written: Format) -> None:
    """Strict WebVTT is its own best reader."""
    cues = on_timeline(cues_of(*READ[written][:1], written), 0.0, 1e6)
    assert tuple(cues_of(subtitles_vtt(cues).decode(), Format.WEBVTT)) == cues


def test_braces_of_a_decoder_are_text() -> None:
    """Which writes overrides of its own."""
    line = "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\i1}a {b}{\\i0} {c"
    assert [cue.text for cue in cues_of(line, Format.DECODED)] == ["<i>a {b}</i> {c"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("\u202eevil\u202c", "evil\u202c"),
        ("\u05d0\u200f!", "\u05d0\u200f!"),
        ("<b><i>both</b> one</i>", "<b><i>both</i></b><i> one</i>"),
        ("<i>a\nb", "<i>a</i>\n<i>b</i>"),
        ("\u2028x --> y", "x --&gt; y"),
        ("<b onmouseover=x>t</b>", "<b>t</b>"),
        ("<<i>>", "&lt;<i>&gt;</i>"),
        ("x" * 9000, "x" * LONGEST_CUE),
        ("l\n" * 500, "\n".join("l" * MOST_LINES)),
        ("\u00a0\n \u3000", ""),
    ],
)
def test_nothing_leaves_its_box(text: str, shown: str) -> None:
    """Controls and what turns text around are gone, markup is well nested, and there is only so much."""
    assert [cue.text for cue in cues_of(f"00:01.000 --> 00:02.000\n{text}", Format.SUBRIP)] == [shown]


def test_cues_are_put_on_the_timeline() -> None:
    """From its start on, cut at its end, sorted, none twice and none for hours."""
    cues = [
        Cue(9000, 20_000, "cut"),
        Cue(1000, 3000, "early"),
        Cue(1000, 1500, "gone"),
        Cue(4000, 4000, "never"),
        Cue(4000, 5000, ""),
        Cue(4000, 5000, "twice"),
        Cue(4000, 5000, "twice"),
        Cue(30_000, 31_000, "behind"),
    ]
    assert on_timeline(cues, 1.5, 10.0) == (
        Cue(0, 1500, "early"),
        Cue(2500, 3500, "twice"),
        Cue(7500, 10_000, "cut"),
    )
    assert on_timeline([Cue(0, 9_999_999, "x")], 0.0, 9999.0) == (Cue(0, LONGEST_MILLISECONDS, "x"),)


def test_cues_that_overlap_become_one_text() -> None:
    """As MP4 has room for one at a time."""
    cues = (Cue(0, 3000, "a"), Cue(1000, 2000, "b"), Cue(1000, 2000, "a"), Cue(5000, 6000, "c"))
    assert list(one_at_a_time(cues)) == [
        Cue(0, 1000, "a"),
        Cue(1000, 2000, "a\nb"),
        Cue(2000, 3000, "a"),
        Cue(5000, 6000, "c"),
    ]


def test_too_much_is_refused() -> None:
    """More cues than any film has, the same ones for ever, lines without end, or more text."""
    many = (Cue(n, n + 1, "x") for n in range(MOST_CUES + 1))
    with pytest.raises(SubtitleTooLargeError):
        on_timeline(many, 0.0, 1e6)
    with pytest.raises(SubtitleTooLargeError):
        on_timeline((Cue(0, 1, "x") for _ in range(10**6)), 0.0, 1e6)
    with pytest.raises(SubtitleTooLargeError):
        list(cues_of("\n" * (2 * MOST_LINES_READ + 1), Format.SUBRIP))
    with pytest.raises(SubtitleTooLargeError):
        subtitles_vtt([Cue(0, 1, "x" * LONGEST_BYTES)])


HOSTILE = {
    "one line": "x" * 4_000_000,
    "timings in one line": "00:00:01,000 --> " * 200_000,
    "opening tags": "<i" * 2_000_000,
    "opening braces": "{\\" * 2_000_000,
    "long tag": "<" + "a" * 4_000_000,
    "spaces": " " * 4_000_000,
    "arrows": "-->" * 1_300_000,
    "ampersands": "&" * 4_000_000,
    "commas": "Dialogue: " + "," * 4_000_000,
    "sections": "[a]\n" * 400_000,
    "paragraphs": "<p begin='1s'>x</p>" * 200_000,
    "spans": "<span begin='1s'>x</span>" * 160_000,
    "words": ("<p>" + "".join(f"<span begin='{n % 31}s'>x</span>" for n in range(499)) + "</p>") * 300,
    "names": "<style a='1' b='2'/>" * 200_000,
    "timings": "00:00:01,000 --> 00:00:02,000\n" * 130_000,
}


@pytest.mark.parametrize("written", READ)
@pytest.mark.parametrize("name", HOSTILE)
def test_time_grows_with_the_text_alone(name: str, written: Format) -> None:
    """Four megabytes of whatever takes a moment: nothing is looked at again and again."""
    text = HOSTILE[name]
    head = {
        Format.SUBRIP: "00:01.000 --> 00:02.000\n",
        Format.WEBVTT: "WEBVTT\n\n00:01.000 --> 00:02.000\n",
        Format.ASS: "[Events]\nDialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,",
        Format.TTML: "<tt><body><div><p begin='1s'>",
    }[written]
    begun = time.process_time()
    with suppress(SubtitleTooLargeError):
        on_timeline(cues_of(head + text, written), 0.0, 10.0)
    assert time.process_time() - begun < 5.0
