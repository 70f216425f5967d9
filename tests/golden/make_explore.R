# Make the numbers behind `expression/` again (tests/golden/data/*.deseq2.tsv.gz, *.combat_seq*.tsv.gz), after make.R:
#   Rscript tests/golden/make_explore.R      (Debian's r-bioc-deseq2 and r-bioc-sva)
suppressMessages({library(DESeq2); library(sva)})
folder <- if (dir.exists("tests/golden/data")) "tests/golden/data" else "data"

save <- function(table, name) {
  out <- gzfile(file.path(folder, paste0(name, ".gz")), "w")
  write.table(table, out, sep = "\t", quote = FALSE, row.names = FALSE)
  close(out)
}
with_ids <- function(values) cbind(gene_id = rownames(values), as.data.frame(values, check.names = FALSE))

for (set in c("airway", "pasilla")) {
  counts <- as.matrix(read.delim(gzfile(file.path(folder, paste0(set, ".counts.tsv.gz"))), row.names = 1, check.names = FALSE))
  samples <- read.delim(file.path(folder, paste0(set, ".samples.tsv")), colClasses = "character")
  counts <- counts[, samples$sample]
  shown <- seq(1, nrow(counts), length.out = 400)

  classes <- sort(unique(samples$label)) # the second against the first
  data <- suppressMessages(DESeq(DESeqDataSetFromMatrix(counts, samples, ~ batch + label), quiet = TRUE))
  found <- as.data.frame(results(data, contrast = c("label", classes[2], classes[1])))
  found$dispersion <- dispersions(data)
  save(with_ids(format(found[shown, ], digits = 12, trim = TRUE)), paste0(set, ".deseq2.tsv"))

  invisible(capture.output({
    alone <- ComBat_seq(counts, batch = samples$batch)
    protected <- ComBat_seq(counts, batch = samples$batch, group = samples$label)
  }))
  save(with_ids(alone[shown, ]), paste0(set, ".combat_seq.tsv"))
  save(with_ids(protected[shown, ]), paste0(set, ".combat_seq_protected.tsv"))
}
