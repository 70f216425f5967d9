"""What needs no batch at all: ranks within the sample."""

from rna2model.expression.batch.base import BatchModel
from rna2model.expression.normalization.distribution import average_ranks


class Ranks(BatchModel):
    """Each gene's rank among the kept genes of its sample, ties averaged, scaled into (0, 1), as `normalization: rank`.

    Whatever a batch does to all genes of a sample by one rising curve is gone, of a new sample that comes alone as well.
    """

    method = "rank"
    of_one_sample = True

    def _row(self, row, batch):
        return (average_ranks(row) - 0.5) / len(row)
