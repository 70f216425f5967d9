"""Put all samples on a plane by t-SNE and UMAP."""

from rna2model.core import job
from rna2model.explore import embedding
from rna2model.explore import views as exploration

job.start(snakemake)

views, samples, _ = exploration.read(snakemake.input.normalized, snakemake.input.corrected)
table = embedding.embed(views, samples)
note = None if len(table) else f"{len(samples)} samples: below {embedding.FEWEST} no embedding says anything"
exploration.conclude(
    table, snakemake.output[0], note, seed=embedding.SEED, perplexity=embedding.perplexity(len(samples))
)
