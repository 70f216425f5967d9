# Make the numbers of tests/golden/data again, with R and Bioconductor as Debian ships them:
#   apt-get install r-bioc-edger r-bioc-deseq2 r-bioc-sva r-bioc-limma      then      make golden
# Reads <set>.counts.tsv.gz and <set>.samples.tsv (public counts, see data/README.txt), writes <set>.<what>.tsv[.gz].
suppressMessages({library(edgeR); library(DESeq2); library(sva); library(limma)})
folder <- if (dir.exists("tests/golden/data")) "tests/golden/data" else "data"

save <- function(table, name, zipped = FALSE) {
  path <- file.path(folder, name)
  out <- if (zipped) gzfile(paste0(path, ".gz"), "w") else file(path, "w")
  write.table(table, out, sep = "\t", quote = FALSE, row.names = FALSE)
  close(out)
}
with_ids <- function(matrix, column) cbind(setNames(data.frame(rownames(matrix)), column), as.data.frame(matrix, check.names = FALSE))

for (set in c("airway", "pasilla")) {
  counts <- as.matrix(read.delim(gzfile(file.path(folder, paste0(set, ".counts.tsv.gz"))), row.names = 1, check.names = FALSE))
  samples <- read.delim(file.path(folder, paste0(set, ".samples.tsv")), colClasses = "character")
  counts <- counts[, samples$sample]

  factors <- data.frame(sample = samples$sample, library = colSums(counts))
  factors$tmm <- calcNormFactors(counts, method = "TMM")
  factors$upper_quartile <- calcNormFactors(counts, method = "upperquartile")
  factors$deseq2 <- estimateSizeFactorsForMatrix(counts)
  factors[-1] <- lapply(factors[-1], format, digits = 17, trim = TRUE)
  save(factors, paste0(set, ".factors.tsv"))

  kept <- filterByExpr(counts, group = samples$label)
  save(data.frame(gene_id = rownames(counts), by_label = kept, one_group = filterByExpr(counts)), paste0(set, ".kept.tsv"))

  dge <- calcNormFactors(DGEList(counts[kept, ]))
  logcpm <- cpm(dge, log = TRUE)
  corrected <- suppressMessages(ComBat(logcpm, batch = samples$batch))
  alone <- suppressMessages(ComBat(logcpm, batch = c("alone", samples$batch[-1]))) # a batch of one: means only
  shown <- seq(1, nrow(logcpm), length.out = 200)
  save(with_ids(format(logcpm[shown, ], digits = 15, trim = TRUE), "gene_id"), paste0(set, ".logcpm.tsv"), TRUE)
  save(with_ids(format(corrected[shown, ], digits = 15, trim = TRUE), "gene_id"), paste0(set, ".combat.tsv"), TRUE)
  half <- rep(c("a", "b"), length.out = ncol(logcpm)) # a label that no batch coincides with, to be protected
  mod <- model.matrix(~half)
  views <- list(
    combat_protected = suppressMessages(ComBat(logcpm, batch = samples$batch, mod = mod)),
    combat_mean_only = suppressMessages(ComBat(logcpm, batch = samples$batch, mean.only = TRUE)),
    combat_reference = suppressMessages(ComBat(logcpm, batch = samples$batch, ref.batch = samples$batch[1])),
    limma = removeBatchEffect(logcpm, batch = samples$batch),
    limma_protected = removeBatchEffect(logcpm, batch = samples$batch, design = mod),
    quantile = normalizeQuantiles(log2(counts + 1)),
    rpkm = rpkm(counts, gene.length = 1000 + seq_len(nrow(counts))),
    vst = assay(vst(DESeqDataSetFromMatrix(counts, samples, ~1), blind = TRUE))
  )
  for (name in names(views)) {
    view <- views[[name]]
    rows <- seq(1, nrow(view), length.out = 200)
    save(with_ids(format(view[rows, ], digits = 15, trim = TRUE), "gene_id"), paste0(set, ".", name, ".tsv"), TRUE)
  }
  save(with_ids(format(alone[shown, ], digits = 15, trim = TRUE), "gene_id"), paste0(set, ".combat_alone.tsv"), TRUE)
}
versions <- sapply(c("edgeR", "DESeq2", "sva", "limma"), function(name) as.character(packageVersion(name)))
save(data.frame(package = c("R", names(versions)), version = c(as.character(getRversion()), versions)), "versions.tsv")
