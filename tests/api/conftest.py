"""A program with a key that may read and write."""

import pytest

from tests.api.program import Program, a_key


@pytest.fixture
def program(db: None) -> Program:
    return Program(a_key())
