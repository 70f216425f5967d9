"""The catalogue itself: complete, without repetition, and as the documentation says."""

from collections import Counter

from tests.faults import catalogue
from tests.faults.case import OUTCOMES


def test_no_fault_is_there_twice_and_every_area_is():
    names = Counter((area, fault) for area, fault, *_ in catalogue.table())
    assert names.most_common(1)[0][1] == 1
    assert len(names) >= 500 and min(len(cases) for cases in catalogue.AREAS.values()) >= 15


def test_every_outcome_is_used_and_told_in_the_documentation(repository):
    assert {outcome for *_, outcome, _ in catalogue.table()} == set(OUTCOMES)
    text = (repository / "docs/inputs.md").read_text()
    assert all(f"**{outcome}**" in text for outcome in OUTCOMES)
