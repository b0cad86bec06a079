from beholden.core.geometry import Point
from beholden.core.moderation import BLOCKLISTED, Blocklist, LabelSource
from beholden.core.text import Line, Polygon, Word
from beholden.moderation.blocklist import Blocklists

LISTS = Blocklists(
    [
        Blocklist("games", ("Casino", "slot machine", "赌博")),
        Blocklist("drinks", ("gin",), tells_words=True),
    ]
)


def place(number: float) -> Polygon:
    a, b = number / 100, (number + 1) / 100
    return Point(a, a), Point(b, a), Point(b, b), Point(a, b)


def lines(*texts: str, sure: float = 0.9) -> list[Line]:
    """Lines of words; the Nth word of all lies at place N."""
    made, count = [], 0
    for text in texts:
        words = text.split(" ")
        made.append(
            Line(
                tuple(Word(w, sure - n / 100, place(count + n)) for n, w in enumerate(words)),
                place(0),
            )
        )
        count += len(words)
    return made


def test_a_list_is_told_by_its_name_with_the_places_and_not_the_word() -> None:
    (label,) = LISTS.told(lines("the best C@SINO", "in town"), ("reader@1",))
    assert (label.name, label.parents, label.source) == (
        "games",
        (BLOCKLISTED,),
        LabelSource.BLOCKLIST,
    )
    assert label.models == ("reader@1",)
    (region,) = label.regions
    assert (region.outline, region.word) == (place(2), "")
    assert region.confidence == label.confidence == 0.9 - 0.02


def test_the_word_is_told_where_the_list_says_so() -> None:
    (label,) = LISTS.told(lines("GIN and gin"), ())
    assert [region.word for region in label.regions] == ["gin", "gin"]
    assert label.confidence == 0.9


def test_a_phrase_over_the_end_of_a_line_is_as_sure_as_its_least_sure_word() -> None:
    (label,) = LISTS.told(lines("one slot", "MACHINE less"), ())
    assert [region.outline for region in label.regions] == [place(1), place(2)]
    assert {region.confidence for region in label.regions} == {0.9 - 0.01}


def test_characters_without_words_and_words_spelt_out() -> None:
    (label,) = LISTS.told(lines("大赌博站"), ())
    assert [region.outline for region in label.regions] == [place(0)]
    (label,) = LISTS.told(lines("G I N now"), ())
    assert [region.outline for region in label.regions] == [place(0), place(1), place(2)]


def test_whole_words_only() -> None:
    assert not LISTS.told(lines("ginger casinos slot the machine", "赌 和 博"), ())


def test_a_list_does_not_show_its_words() -> None:
    assert "Casino" not in repr(LISTS.lists)
