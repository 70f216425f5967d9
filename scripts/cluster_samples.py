"""Which samples are alike: correlations in hierarchical order, as numbers and as a picture, and clusters against labels."""

from rna2model.core import job
from rna2model.explore import clusters, figures
from rna2model.explore import views as exploration

job.start(snakemake)
out = snakemake.output

views, samples, genes = exploration.read(snakemake.input.normalized, snakemake.input.corrected)
labels, batches = exploration.roles(snakemake.input.cohort, snakemake.params.design, samples)

rows = clusters.drawn(len(samples))
shown = [samples[row] for row in rows]
correlations = {view: clusters.correlations(values[rows]) for view, values in views.items()}
orders = {view: clusters.order(matrix) for view, matrix in correlations.items()}
details = {
    "genes": len(genes),
    "samples": len(samples),
    "samples_drawn": len(shown),
    "correlation": "Pearson, log2 expression",
    "linkage": "average, 1 - correlation",
}
exploration.conclude(clusters.table(correlations, orders, shown), out.correlations, **details)
annotations = {"target": labels[rows]} | ({} if batches is None else {"batch": batches[rows]})
pictures = {view: (matrix, orders[view]) for view, matrix in correlations.items()}
figures.heatmap(pictures, shown, annotations, out.heatmap)

table = clusters.compare(views, samples, labels, batches)
note = None if len(table) else "clusters are compared with two or more labels or batches, and there are fewer"
exploration.conclude(table, out.clusters, note, components=clusters.COMPONENTS, seed=clusters.SEED)
