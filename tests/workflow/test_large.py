"""Plans of cohorts that are too large for one page or one table."""

import re

import pytest

from tests.workflow import faked


@pytest.mark.parametrize(
    ("count", "pages"), [(500, {"multiqc": 1}), (501, {"multiqc": 2, "multiqc_index": 1})]
)
def test_past_500_samples_multiqc_has_several_pages_and_an_index(tmp_path, count, pages):
    """The page that people open is the same file; below the limit it is MultiQC's own."""
    faked.write(tmp_path, count)
    page = "results/multiqc/multiqc_report.html"
    done = faked.run(tmp_path, "-n", "--quiet", "rules", "--", page)
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, re.M))
    assert {rule: int(jobs[rule]) for rule in jobs if rule.startswith("multiqc")} == pages
    assert int(jobs["align_star"]) == count
