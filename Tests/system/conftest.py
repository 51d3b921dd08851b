import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from ensemble import Ensemble  # noqa: E402


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """Three members that a module's tests share; no test here kills one."""
    with Ensemble(tmp_path_factory.mktemp("three")) as ensemble:
        yield ensemble


@pytest.fixture
def fresh(tmp_path):
    """Three members of one test, which may do to them what it likes."""
    with Ensemble(tmp_path) as ensemble:
        yield ensemble
