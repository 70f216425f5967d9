"""What models see beside or instead of genes: covariates, gene-set scores, selected genes."""
