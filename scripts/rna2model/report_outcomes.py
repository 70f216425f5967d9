"""Figures of numbers and survival times: predictions of the shipped model beside what came true, out of fold."""

from rna2model import survival_metrics
from rna2model.report_parts import BLUE, GREY, RED, axis, line
from rna2model.report_run import first_repeat


def predicted(run):
    """Predicted against true numbers."""
    table = run["predictions"][run["shipped"]]
    ends = [float(table["truth"].min()), float(table["truth"].max())]
    points = line(table["truth"], table["predicted"], run["shipped"], BLUE, "markers")
    points |= {"text": table["sample"].tolist(), "hovertemplate": "%{text}: %{x}, predicted %{y:.4g}"}
    layout = {"height": 420, "xaxis": axis("truth"), "yaxis": axis("predicted")}
    return {"data": [line(ends, ends, "perfect", GREY, dash="dot"), points], "layout": layout}


def residuals(run):
    """Truth less prediction by the prediction: a trend or a funnel says that errors are not the same everywhere."""
    table = run["predictions"][run["shipped"]]
    points = line(table["predicted"], table["truth"] - table["predicted"], run["shipped"], BLUE, "markers")
    points |= {
        "text": table["sample"].tolist(),
        "hovertemplate": "%{text}: predicted %{x:.4g}, off by %{y:.4g}",
    }
    layout = {
        "height": 420,
        "xaxis": axis("predicted"),
        "yaxis": axis("truth less predicted", zerolinewidth=2),
    }
    return {"data": [points], "layout": layout}


def kaplan_meier(run):
    """Survival of the risk groups; the cut between them comes from training samples alone."""
    table, traces = first_repeat(run["predictions"][run["shipped"]]), []
    for name, colour, dash in (("low", BLUE, "solid"), ("high", RED, "dash")):
        part = table[table["risk_group"] == name]
        if len(part):
            time, survival = survival_metrics.kaplan_meier(
                part["time"].to_numpy(), part["event"].to_numpy() > 0
            )
            label = f"{name} risk ({len(part)} samples, {int(part['event'].sum())} events)"
            trace = line([0.0, *time], [1.0, *survival], label, colour, dash=dash)
            trace["line"]["shape"] = "hv"
            traces.append(trace)
    layout = {
        "height": 420,
        "xaxis": axis("time", rangemode="tozero"),
        "yaxis": axis("without event", range=[0, 1.02]),
    }
    return {"data": traces, "layout": layout}
