"""A cohort without any model: views, clusters, outliers, differential expression, batch diagnostics."""
