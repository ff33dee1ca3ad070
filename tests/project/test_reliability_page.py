"""The page of faults and wrong inputs is what the tests say."""

import pytest

from tests.support.reliability_page import PAGE, page


@pytest.mark.slow
def test_the_page_is_up_to_date():
    assert PAGE.read_text() == page()
