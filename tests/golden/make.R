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

# Whole published sets, where their folder is there: numbers of a few genes, computed with all. Values in ten digits.
corrections <- function(values, batch, mod) {
  first <- sort(unique(batch), method = "radix")[1]
  suppressMessages(list(
    combat = ComBat(values, batch), combat_mean_only = ComBat(values, batch, mean.only = TRUE),
    combat_reference = ComBat(values, batch, ref.batch = first), combat_protected = ComBat(values, batch, mod = mod),
    limma = removeBatchEffect(values, batch), limma_protected = removeBatchEffect(values, batch, design = mod)))
}
normalizations <- function(counts, group) {
  dds <- estimateSizeFactors(DESeqDataSetFromMatrix(counts, data.frame(group), ~1))
  kept <- filterByExpr(counts, group = group)
  list(
    logcpm = cpm(calcNormFactors(DGEList(counts[kept, ])), log = TRUE),
    logcpm_upper_quartile = cpm(calcNormFactors(DGEList(counts[kept, ]), method = "upperquartile"), log = TRUE),
    rpkm = rpkm(counts, gene.length = 1000 + seq_len(nrow(counts))),
    vst = assay(vst(dds, blind = TRUE, nsub = min(1000, sum(rowMeans(counts(dds, normalized = TRUE)) > 5)))))
}
trend <- function(counts) { # what vst() fits: asymptotic dispersion and extra-Poisson term, on genes spread over the means
  dds <- estimateSizeFactors(DESeqDataSetFromMatrix(counts, data.frame(x = seq_len(ncol(counts))), ~1))
  means <- rowMeans(counts(dds, normalized = TRUE))
  dds <- dds[means > 5, ]
  dds <- dds[order(means[means > 5])[round(seq(1, nrow(dds), length.out = min(1000, nrow(dds))))], ]
  dds <- estimateDispersionsFit(estimateDispersionsGeneEst(dds, quiet = TRUE), quiet = TRUE)
  attr(dispersionFunction(dds), "coefficients")
}
md5 <- function(words) {
  path <- tempfile()
  cat(words, file = path, sep = "\n")
  tools::md5sum(path)[[1]]
}

shared <- "../shared/data/matrices"
kept_genes <- trends <- data.frame()
for (set in if (dir.exists(shared)) c("airway", "pasilla", "hapmap_tsi_gender", "cervical_mirna", "bladderbatch", "ecoli_precise")) {
  samples <- read.delim(file.path(shared, set, "samples.tsv"), colClasses = "character", check.names = FALSE, quote = "")
  values <- as.matrix(read.delim(gzfile(file.path(shared, set, "counts.tsv.gz")), row.names = 1, check.names = FALSE))
  values <- values[, samples$sample]
  batch <- if (set == "cervical_mirna") samples$pair else if (set == "hapmap_tsi_gender") rep(c("a", "b", "c"), length.out = nrow(samples)) else samples$batch
  label <- if (set == "ecoli_precise") rep(c("a", "b"), length.out = nrow(samples)) else samples$label
  if (set == "bladderbatch") label <- ifelse(label == "Cancer", "b", "a")
  views <- list()
  if (!set %in% c("bladderbatch", "ecoli_precise")) {
    factors <- data.frame(sample = samples$sample)
    for (method in c("TMM", "upperquartile", "RLE")) factors[[method]] <- calcNormFactors(values, method = method)
    factors$deseq2 <- estimateSizeFactorsForMatrix(values)
    factors[-1] <- lapply(factors[-1], format, digits = 17, trim = TRUE)
    save(factors, paste0("published.", set, ".factors.tsv"))
    for (group in c("label", "one_group")) {
      kept <- filterByExpr(values, group = if (group == "label") label)
      kept_genes <- rbind(kept_genes, data.frame(set, group, genes = sum(kept), md5 = md5(rownames(values)[kept])))
    }
    views <- normalizations(values, label)
    trends <- rbind(trends, data.frame(set, t(format(trend(values), digits = 15))))
    values <- round(views$logcpm, 10) # a gene without counts has the same log CPM everywhere; its rounding is no variance
  }
  views <- c(views, corrections(values, batch, model.matrix(~label)))
  shown <- lapply(names(views), function(name) {
    rows <- round(seq(1, nrow(views[[name]]), length.out = if (set == "ecoli_precise") 6 else 12))
    cbind(view = name, with_ids(formatC(views[[name]][rows, ], digits = 10, format = "g", width = 1), "gene_id"))
  })
  save(do.call(rbind, shown), paste0("published.", set, ".tsv"), TRUE)
}
if (nrow(kept_genes)) {
  save(kept_genes, "published.kept.tsv")
  save(trends, "published.trend.tsv")
}
versions <- sapply(c("edgeR", "DESeq2", "sva", "limma"), function(name) as.character(packageVersion(name)))
save(data.frame(package = c("R", names(versions)), version = c(as.character(getRversion()), versions)), "versions.tsv")
