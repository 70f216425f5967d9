"""From counts to the columns of a model; each step is fitted on training samples and applied to each sample alone."""
