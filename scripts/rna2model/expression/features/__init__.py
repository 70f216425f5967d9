"""Columns of a model beside or instead of genes: covariates, gene-set scores, selected genes."""
