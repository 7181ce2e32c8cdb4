import pytest

import layouts
from layout_pass import WAYS, faults


@pytest.mark.parametrize("way", ["channels first", "by chance"])
def test_backend_cases(way):
    assert faults(layouts.backend_cases(), {way: WAYS[way]}, readable=False) == []
