"""Kaplan-Meier of risk groups: bands and numbers at risk as R has them."""

import json

import numpy as np
import pandas as pd
import pytest

from rna2model.evaluation import risk_groups

ROW = np.arange(1, 41)
TIME, EVENT = ((7 * ROW) % 13 + 1).astype(float), (ROW * ROW) % 3 > 0
SURVFIT = {  # survival 3.5-3: summary(survfit(Surv(time, event) ~ 1, conf.type = "log-log"), times = c(4, 8, 12))
    4: (31, 0.791220062567, 0.6250783559698, 0.889842494670),
    8: (19, 0.517456839278, 0.3397264726426, 0.668949242459),
    12: (6, 0.193780133228, 0.0683208376712, 0.366587256158),
}


def test_bands_and_numbers_at_risk_equal_survfit():
    curve = risk_groups.curve(TIME, EVENT)
    for t, (at_risk, *values) in SURVFIT.items():
        assert curve.at_risk(t) == at_risk and curve.at(t) == pytest.approx(values, abs=1e-10)
    assert curve.at(0.5) == (1.0, 1.0, 1.0) and np.isnan(curve.at(14.0)).all()


def test_a_curve_that_ends_at_zero_has_no_band_there():
    curve = risk_groups.curve(np.array([2.0, 3.0, 4.0]), np.array([False, True, True]))
    assert curve.at(3) == pytest.approx((0.5, 0.005983088, 0.9104101), abs=1e-6)
    assert curve.at(4)[0] == 0 and np.isnan(curve.at(4)[1:]).all()


@pytest.mark.parametrize("longest", [0.02, 0.9, 3.0, 13.0, 59.7, 60.0, 61.0, 365.25, 5400.0])
def test_times_are_round_and_few(longest):
    at = risk_groups.ticks(longest)
    assert at[0] == 0 and 2 <= len(at) <= 7 and at[-1] <= longest * (1 + 1e-9)
    assert float(f"{at[1]:.3e}"[0]) in (1, 2, 5)


def test_the_summary_of_both_groups_is_json_and_one_group_is_enough():
    frame = pd.DataFrame(
        {"time": TIME, "event": EVENT.astype(int), "risk_group": np.where(ROW % 2, "low", "high")}
    )
    summary = risk_groups.summary(frame)
    assert summary == json.loads(json.dumps(summary, allow_nan=False))
    assert summary["low"]["times"] == summary["high"]["times"] == [0, 2, 4, 6, 8, 10, 12]
    assert sum(summary[name]["at_risk"][0] for name in summary) == 40
    assert list(risk_groups.summary(frame[frame["risk_group"] == "high"])) == ["high"]
