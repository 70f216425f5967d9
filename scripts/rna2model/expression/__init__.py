"""From counts to what models see; each step is fitted on training samples and applied to any sample alone."""
