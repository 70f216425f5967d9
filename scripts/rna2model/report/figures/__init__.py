"""The figures of the report, as Plotly's JSON."""
