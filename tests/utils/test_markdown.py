"""Markdown tables and the numbers in their cells."""

from pickclutter_lang.utils.markdown import markdown_table, number, percent, tables_of


def test_a_table_has_a_line_for_its_head_and_each_row() -> None:
    table = markdown_table(["object", "scenes"], [["bowl", 3], ["mug", None]])
    assert table == "| object | scenes |\n| --- | --- |\n| bowl | 3 |\n| mug | None |"


def test_numbers_stand_to_the_right_and_a_bar_does_not_split_a_cell() -> None:
    table = markdown_table(["key", "a", "b"], [["x|y", 1, 2]], align_right=True)
    assert table == "| key | a | b |\n| --- | ---: | ---: |\n| x\\|y | 1 | 2 |"


def test_what_was_not_measured_has_a_mark_of_its_own() -> None:
    assert [percent(0.4567), percent(None), percent(None, "-")] == ["45.7", "NA", "-"]
    assert [number(2.25, 2), number(7.6, 0), number(None), number(None, missing="")] == ["2.25", "8", "NA", ""]


def test_tables_of_a_page_have_their_headings_and_rows() -> None:
    table, empty = markdown_table(["a", "b"], [[1, 2]]), markdown_table(["a"], [])
    page = f"# Title\n\ntext | text\n\n{table}\n\n## Other, %\n\n{empty}\n\nmore\n\n{table}\n"
    assert tables_of(page) == f"Title\n{table}\n\nOther, %\n{table}\n"
    assert tables_of(page, "Other", "x") == f"Other, %\n{table}\n"
    assert tables_of(page, "x") == tables_of("") == ""
