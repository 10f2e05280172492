"""What comes: mixes and arrivals by chance, and traces from files."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median

import pytest

from infra.simulation.load import MIXES, Synthetic, mean_cost
from infra.simulation.trace import read_trace
from infra.simulation.videos import GRID, Videos, length_at
from storage.model.job import Priority
from storage.scheduling.costs import Calibration, cost_of_bytes
from storage.settings import SettingsError

VIDEOS = Videos(10)


@pytest.mark.parametrize("name", MIXES)
def test_a_mix_keeps_to_its_bounds(name: str) -> None:
    """Lengths lie between the shortest and the longest, within half a step of the grid."""
    mix = MIXES[name]
    assert length_at(mix.steps[0]) == pytest.approx(mix.shortest, rel=GRID**0.5 - 1 + 1e-6)
    assert length_at(mix.steps[-1]) == pytest.approx(mix.longest, rel=GRID**0.5 - 1 + 1e-6)
    assert all(share > 0 for share in mix.shares)


@pytest.mark.parametrize(("name", "middle"), [("clips", 20), ("mixed", 120), ("films", 300 * 2 ** (1 / 1.2))])
def test_arrivals_are_as_the_mix_says(name: str, middle: float) -> None:
    """Of 20,000 arrivals half are shorter than the mix's middle, they cost its mean, and come at its rate."""
    mix = MIXES[name]
    arrivals = list(Synthetic(mix, rate=2.0, seconds=10_000, owners=10, seed=3).arrivals())
    assert len(arrivals) == pytest.approx(20_000, rel=0.05)
    assert median(length_at(each.step) for each in arrivals) == pytest.approx(middle, rel=0.06)
    assert fmean(VIDEOS.shape(each.step).cost for each in arrivals) == pytest.approx(mean_cost(mix, VIDEOS), rel=0.1)
    assert all(before.at <= after.at for before, after in pairwise(arrivals))


def test_few_owners_bring_most() -> None:
    """The second owner brings half as much as the first, the third a third."""
    load = Synthetic(MIXES["clips"], rate=2.0, seconds=10_000, owners=3, seed=3)
    counts = Counter(each.owner for each in load.arrivals())
    assert counts["owner 1"] / counts["owner 0"] == pytest.approx(1 / 2, rel=0.1)
    assert counts["owner 2"] / counts["owner 0"] == pytest.approx(1 / 3, rel=0.1)


def test_the_same_seed_gives_the_same_arrivals() -> None:
    """A load can be run again and again, and another seed is another load."""
    load = Synthetic(MIXES["mixed"], rate=1.0, seconds=100, owners=10, seed=3)
    other = Synthetic(MIXES["mixed"], rate=1.0, seconds=100, owners=10, seed=4)
    assert list(load.arrivals()) == list(load.arrivals()) != list(other.arrivals())


def written(folder: Path, text: str) -> Path:
    """Return a file of this text."""
    path = folder / "trace"
    path.write_text(text)
    return path


TRACES = {
    "csv": "at,owner,cost,seconds,bytes,priority\n0,ann,50,,,\n1.5,bob,,60,,high\n2,,,,1000000,low\n",
    "json": '{"at": 0, "owner": "ann", "cost": 50}\n\n{"at": 1.5, "owner": "bob", "seconds": 60, "priority": "high"}\n'
    '{"at": 2, "bytes": 1000000, "priority": "low"}\n',
}


@pytest.mark.parametrize("form", TRACES)
def test_a_trace_tells_the_work_in_three_ways(form: str, tmp_path: Path) -> None:
    """A cost is taken as it stands, a length as 1080p, bytes as the cost model takes them."""
    ann, bob, other = read_trace(written(tmp_path, TRACES[form]), VIDEOS)
    costs = [VIDEOS.shape(each.step).cost * each.scale for each in (ann, bob, other)]
    assert costs == pytest.approx([50.0, VIDEOS.shape(bob.step).cost, cost_of_bytes(1_000_000, Calibration())])
    assert length_at(bob.step) == pytest.approx(60, rel=GRID**0.5 - 1)
    assert [each.at for each in (ann, bob, other)] == [0.0, 1.5, 2.0]
    assert [each.owner for each in (ann, bob, other)] == ["ann", "bob", ""]
    assert [each.priority for each in (ann, bob, other)] == [Priority.NORMAL, Priority.HIGH, Priority.LOW]
    assert other.size == 1_000_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("at,cost\n5,1\n4,1\n", "line 3: it came before the line above it"),
        ("at,cost\nsoon,1\n", "line 2: at: Input should be a valid number"),
        ("at,cost\n1,-1\n", "line 2: cost: Input should be greater than 0"),
        ("at,cost\n1,nan\n", "line 2: cost: Input should be a finite number"),
        ("at,cost\n1,1,1\n", "line 2:"),
        ("at,prize\n1,1\n", "line 2: prize: Extra inputs are not permitted"),
        ("at,owner\n1,ann\n", "one of cost, seconds and bytes is needed"),
        ('{"at": 1, "cost": 1}\n{"at": 2\n', "line 2: no JSON object"),
    ],
)
def test_a_wrong_line_is_named(text: str, words: str, tmp_path: Path) -> None:
    """The error says which line of which file, and what is wrong with it."""
    path = written(tmp_path, text)
    with pytest.raises(SettingsError, match=words) as caught:
        list(read_trace(path, VIDEOS))
    assert str(path) in str(caught.value)


def test_a_missing_trace_is_named(tmp_path: Path) -> None:
    """A file that is not there, and one that is no text, are told in a sentence."""
    with pytest.raises(SettingsError, match="cannot be read"):
        list(read_trace(tmp_path / "none", VIDEOS))
    binary = tmp_path / "video"
    binary.write_bytes(b"\x00\xff\xfe" * 10)
    with pytest.raises(SettingsError, match="cannot be read"):
        list(read_trace(binary, VIDEOS))
