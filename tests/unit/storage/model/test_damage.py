"""Damage: places merged, bounded, counted and put into sentences."""

from __future__ import annotations

import json

from storage.model.damage import (
    MOST_PLACES,
    NEAR_SECONDS,
    Damage,
    DamageKind,
    Damages,
    as_result,
    of_results,
    summed_up,
    warnings_of,
)

MISSING, REPAIRED, SILENT = DamageKind.PICTURES_MISSING, DamageKind.PICTURES_REPAIRED, DamageKind.SOUND_MISSING


def test_near_places_of_a_kind_are_one() -> None:
    """What is no further apart than people notice is one place; other kinds and far ones are not."""
    apart = NEAR_SECONDS + 0.01
    found = summed_up(
        iter(
            [
                Damage(REPAIRED, 5.0, 0.04),
                Damage(MISSING, 1.0, 0.5),
                Damage(MISSING, 1.1, 0.1),
                Damage(MISSING, 1.5 + NEAR_SECONDS - 0.01, 0.1),
                Damage(MISSING, 1.6 + NEAR_SECONDS + apart, 0.1),
            ]
        )
    )
    assert found.places == (
        Damage(MISSING, 1.0, round(0.6 + NEAR_SECONDS - 0.01, 3)),
        Damage(MISSING, round(1.6 + NEAR_SECONDS + apart, 3), 0.1),
        Damage(REPAIRED, 5.0, 0.04),
    )
    assert found.counts == {MISSING: 2, REPAIRED: 1}


def test_the_longest_places_are_kept_and_all_are_counted() -> None:
    """A badly damaged file fills no record; its numbers stay true, also over several tasks."""
    places = [Damage(REPAIRED, float(n), round(0.01 + n / 1_000, 3)) for n in range(MOST_PLACES * 2)]
    found = summed_up(places)
    assert found.places == tuple(places[MOST_PLACES:])
    assert found.counts == {REPAIRED: MOST_PLACES * 2}
    other = summed_up([Damage(REPAIRED, 1000.0, 3.0)])
    whole = of_results(json.loads(json.dumps([as_result(found), {"made": True}, as_result(other)])), until=2000.0)
    assert len(whole.places) == MOST_PLACES
    assert whole.places[-1] == Damage(REPAIRED, 1000.0, 3.0)
    assert whole.counts == {REPAIRED: MOST_PLACES * 2 + 1}


def test_places_go_on_over_borders_of_segments() -> None:
    """A gap that two segments found a part of is one place."""
    first, second = summed_up([Damage(MISSING, 3.0, 1.0)]), summed_up([Damage(MISSING, 4.0, 0.5)])
    assert of_results([as_result(first), as_result(second)], until=9.0) == Damages(
        (Damage(MISSING, 3.0, 1.5),), {MISSING: 1}
    )


def test_places_behind_the_end_of_the_video_are_cut() -> None:
    """Of a video that came out shorter than planned only what can be seen is told."""
    found = summed_up([Damage(SILENT, 1.0, 2.0), Damage(SILENT, 5.0, 1.0)])
    assert of_results([as_result(found)], until=2.5).places == (Damage(SILENT, 1.0, 1.5),)


def test_nothing_is_said_of_an_intact_file() -> None:
    """No damage leaves no trace in results, and no warning."""
    assert as_result(summed_up([])) == {}
    assert of_results([{"frames": 3}], until=9.0) == Damages()
    assert list(warnings_of(Damages())) == []


def test_sentences_say_how_many_how_long_and_where() -> None:
    """One warning a kind: the number of places, the longest and its place as players show it."""
    places = [Damage(MISSING, 1.0, 0.2), Damage(MISSING, 72.4, 1.44), Damage(MISSING, 99.0, 0.3)]
    found = summed_up([*places, Damage(SILENT, 3725.9, 0.021)])
    assert [(told.code, told.message, told.values) for told in warnings_of(found)] == [
        (
            "pictures_missing",
            "Pictures were missing in 3 places, the longest of 1.4 s at 1:12.",
            {"n": 3, "longest": 1.4, "at": 72.4},
        ),
        (
            "sound_missing",
            "Sound was missing in one place, for 0.1 s at 1:02:05.",
            {"n": 1, "longest": 0.1, "at": 3725.9},
        ),
    ]
