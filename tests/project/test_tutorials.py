"""Each tutorial does what it says, as printed, and shows pictures that its commands make."""

import pytest

from tests.support.tutorials import NAMES, check, check_printed, text_of


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_tutorial_is_as_printed(name: str):
    check(name)


def test_the_list_of_tutorials_has_each():
    listed = text_of("index")
    assert {name for name in NAMES if f"({name}.md)" not in listed} == set()


def test_output_that_is_not_as_printed_is_noticed():
    check_printed("a\nx is 1.02 (2)\nb", "x is 1.00 (2)\nb", 0.05)
    for printed, expected, rtol in (
        ("x is 1.2", "x is 1.0", 0.05),
        ("y is 1.0", "x is 1.0", 0.05),
        ("x is 1.2", "x is 1.0", 0),
        ("b\na", "a\nb", 0),
        ("", "a", 0),
        ("", "0", 0.05),
    ):
        with pytest.raises(AssertionError, match="not said"):
            check_printed(printed, expected, rtol)
