"""The accent colour stays readable whatever colour a workspace has."""

from hypothesis import given
from hypothesis import strategies as st

from retention.workspace.branding import DARK_GROUND, LIGHT_GROUND, READABLE, Colour, contrast, readable, text_on

colours = st.builds(Colour, *[st.integers(0, 255)] * 3)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(Colour(0, 0, 0), Colour(255, 255, 255)) == 21
    assert round(contrast(Colour.parse("#767676"), Colour.parse("#ffffff")), 2) == 4.54  # WCAG's own example grey


@given(colours)
def test_text_in_the_accent_reads_on_light_and_dark(colour: Colour) -> None:
    for ground in (LIGHT_GROUND, DARK_GROUND):
        assert contrast(readable(colour, Colour.parse(ground)), Colour.parse(ground)) >= READABLE


@given(colours)
def test_text_reads_on_the_accent(colour: Colour) -> None:
    assert contrast(text_on(colour), colour) >= READABLE


@given(colours)
def test_a_colour_is_read_as_it_is_written(colour: Colour) -> None:
    assert Colour.parse(str(colour)) == colour
