"""The target name is parsed from an instruction."""

import pytest

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import INSTRUCTION_TEMPLATES, parse_target_name, read_name
from pickclutter_lang.objects.catalog import all_objects
from pickclutter_lang.objects.kinds.kind_set import load_kind_set


@pytest.mark.parametrize("template", INSTRUCTION_TEMPLATES)
def test_every_template_gives_the_name_back(template: str) -> None:
    for name in ("lemon", "rubik's cube", "master chef can", "blue cup of mine"):
        assert parse_target_name(template.format(name=name)) == name
        assert parse_target_name(template.format(name=name).upper()) == name.upper()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Pick up the Lemon", "lemon"),
        ("pick up the lemon, please", "lemon"),
        ("grab the lemon now", "lemon"),
        ("pick up the lemon and put it at the goal", "lemon"),
        ("pick up the lemon squeezer", "lemon squeezer"),
        ("grab the salt and pepper mill please", "salt and pepper mill"),
    ],
)
def test_the_name_ends_where_other_words_begin(text: str, name: str) -> None:
    assert parse_target_name(text, ["lemon", "tennis ball"]) == name


@pytest.mark.parametrize("template", INSTRUCTION_TEMPLATES)
def test_a_known_name_may_have_any_words(template: str) -> None:
    names = [
        '3" bolt',
        "mug on the left",
        "mug and the bowl",
        "do not disturb sign",
        "under plate",
        "7 up",
        "the thing",
    ]
    for name in (*names, "mug", "bowl"):
        read = parse_target_name(template.format(name=name), [*names, "mug", "bowl"])
        assert read == name or (name, read) == ("the thing", "thing")  # its article is a word of the sentence


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pick up the cup, blue", "cup, blue"),
        ("Grab the Cup, Blue now", "cup, blue"),
        ("can you get me the cup, please?", "cup"),
        ("lift the sign now hiring and put it away", "sign now hiring"),
        ("lift the sign now", "sign"),
        ("lift the bell, small", "bell"),
    ],
)
def test_a_known_name_is_not_cut(text: str, name: str) -> None:
    assert parse_target_name(text, ["cup", "cup, blue", "sign now hiring"]) == name


def test_other_texts_are_searched_for_known_names() -> None:
    assert parse_target_name("where did I put the rubik's cube again", ["cube", "rubik's cube"]) == "rubik's cube"
    with pytest.raises(InvalidArgumentError, match=r"pick up the banana.*lemon.*but got 'hello'"):
        parse_target_name("hello", ["lemon"])


NAMES = [
    "lemon",
    "orange",
    "mug",
    "bowl",
    "bowling ball",
    "knife",
    "tomato",
    "dice",
    "rubik's cube",
    "gray box",
    "find the key",
    "part no.",
]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("please pick up the red mug", "red mug"),
        ("Could you please get me a striped mug, thanks", "striped mug"),
        ("hand me that red mug.", "red mug"),
        ("Robot: go get the mug", "mug"),
        ("I\u2019d like the mug", "mug"),
        ("can you pick the mug up please", "mug"),
        ("pick up the mug from the table", "mug"),
        ("pick up the mug lying on the table", "mug"),
        ("grab my mug gently", "mug"),
        ("give me the red one", "red one"),
        ("the red one", "red one"),
        ("get the yellow fruit", "yellow fruit"),
        ("pick up the gray mug", "grey mug"),
        ("pick up the Rubik\u2019s cube", "rubik's cube"),
        ("rubiks cube", "rubik's cube"),
        ("is there a red mug", "red mug"),
        ("is there a red and orange mug", "red and orange mug"),
        ("where is the orange mug", "orange mug"),
        ("where is the orange", "orange"),
        ("is there a gray box", "gray box"),
        ("get the arm to pick the lemon", "lemon"),
        ("the mug with a handle", "mug with a handle"),
        ("lift the all purpose cleaner", "all purpose cleaner"),
        ("pick up the mug and salt mill", "mug and salt mill"),
        ("pick up the orange and white mug", "orange and white mug"),
        ("could you maybe get me the striped mug pls", "striped mug"),
        ("Hello robot, get the wooden spoon", "wooden spoon"),
        ("pick and place the mug", "mug"),
        ("pick up lemon squeezer", "lemon squeezer"),
        ("grab green bottle", "green bottle"),
        ("can I have the red one please", "red one"),
        ("get rid of the green mug", "green mug"),
        ("lift up the towel", "towel"),
        ("lift the mug up", "mug"),
        ("pick up the red one over there", "red one"),
        ("pick up the mug if you don't mind", "mug"),
        ("why don't you pick up the mug", "mug"),
        ("pick up the do not disturb sign", "do not disturb sign"),
        ("pick up the under sink light bulb", "under sink light bulb"),
        ("hand me the to-go mug", "to-go mug"),
        ('pick up the "mug"', "mug"),
        ("pick up the 7 up", "7 up"),
        ("Find The Key", "find the key"),
        ("pick up the part no.", "part no."),
        ("pick up the mug that is red", "red mug"),
        ("give me the mug which is gray from the table, please", "grey mug"),
        ("I'd like the bowl that's red and white.", "red and white bowl"),
        ("pick the mug that is on the table", "mug"),
    ],
)
def test_people_say_it_in_other_words(text: str, name: str) -> None:
    assert parse_target_name(text, NAMES) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mugs", "mug"),
        ("the red mugs", "red mug"),
        ("red rubik's cubes", "red rubik's cube"),
        ("knives", "knife"),
        ("tomatoes", "tomato"),
        ("tomatos", "tomato"),
    ],
)
def test_a_plural_is_the_name(text: str, name: str) -> None:
    assert read_name(text, NAMES) == parse_target_name(f"pick up {text}", NAMES) == name


@pytest.mark.parametrize(
    "text",
    [
        "pick up the mug on the left", "the bowl next to the lemon", "the thing behind the bowl", "leftmost mug",
        "the orange and the lemon", "mug from the bowl",
        "two mugs", "2 red mugs", "a couple of mugs", "the mug and the red bowl", "mug or bowl", "the mug, the kettle",
    ],
)  # fmt: skip
def test_places_and_several_objects_are_refused(text: str) -> None:
    for read in (parse_target_name, read_name):
        with pytest.raises(InvalidArgumentError, match="expected one object, by what it is, but got"):
            read(text, NAMES)
    assert read_name(text, [*NAMES, text]) == text  # where it is a name


@pytest.mark.parametrize(
    "text",
    [
        "thank you, robot",
        "pick it up",
        "pick up that",
        "give it to me",
        "find out",
        "the weather is nice",
        "is it gray",
    ],
)
def test_what_asks_for_nothing_is_no_name(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match="expected an instruction like"):
        parse_target_name(text, NAMES)


@pytest.mark.parametrize("text", ["put down the bowl and pick up the mug", "is it a mug or a bowl"])
def test_a_sentence_with_two_known_objects_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match="expected one object"):
        parse_target_name(text, NAMES)


@pytest.mark.parametrize("text", ["dont pick up the mug", "leave the mug", "no, not the mug", "don't pick up the mug"])
def test_what_not_to_pick_is_refused(text: str) -> None:
    for read in (parse_target_name, read_name):
        with pytest.raises(InvalidArgumentError, match="but got what not to do"):
            read(text, NAMES)
        assert read(text, [*NAMES, text]) == text  # where it is a name


@pytest.mark.parametrize("name", ["stop sign", "leave-in conditioner", "Stop sign"])
def test_a_name_may_begin_like_a_prohibition(name: str) -> None:
    assert read_name(name) == name and read_name(f"the {name}", [name.lower()]) == name.lower()
    for text in (f"stop the {name}", "stop it", "stop picking", "stop immediately, drop the mug", "stop; drop the mug"):
        with pytest.raises(InvalidArgumentError, match="but got what not to do"):
            read_name(text, NAMES)


def test_long_texts_are_refused() -> None:
    for read in (parse_target_name, read_name):
        with pytest.raises(InvalidArgumentError, match="at most 500 characters, but got 4010"):
            read("where is " + "red " * 1000 + "x", NAMES)


def test_the_packages_words_are_read_as_they_are() -> None:
    items = [*load_kind_set().catalog, *all_objects()]
    words = {word for item in items for word in (item.name, *item.synonyms, item.category, *item.hypernyms)}
    names = [item.name for item in items]
    for word in words:
        for known in (names, ()):
            assert read_name(word, known) == read_name(f"the {word}", known) == word
            assert parse_target_name(f"pick up the {word}", known) == word
            assert parse_target_name(f"hand me a {word}", known) == word


def test_a_name_alone_is_not_searched_for_known_ones() -> None:
    known = ["mug", "cup, blue"]
    texts = ("mug tree", "the mug", "a mug, please", "The Cup, Blue", "hand soap", "hand mug", "7 up", "?", "")
    expected = ["mug tree", "mug", "mug", "cup, blue", "hand soap", "hand mug", "7 up", "?", ""]
    assert [read_name(text, known) for text in texts] == expected
    assert parse_target_name("mug tree", known) == "mug"


def test_an_error_shows_some_names() -> None:
    with pytest.raises(InvalidArgumentError, match=r"in it \(n0, .*, n9, \.\.\.\), but got 'hello'"):
        parse_target_name("hello", [f"n{k}" for k in range(200)])
