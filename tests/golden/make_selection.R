# limma's moderated statistics of <set>.logcpm.tsv.gz: F over the labels, and t of the slope on a value for each sample.
#   apt-get install r-bioc-limma      then      make golden
suppressMessages(library(limma))
folder <- if (dir.exists("tests/golden/data")) "tests/golden/data" else "data"

for (set in c("airway", "pasilla")) {
  logcpm <- as.matrix(read.delim(gzfile(file.path(folder, paste0(set, ".logcpm.tsv.gz"))), row.names = 1, check.names = FALSE))
  samples <- read.delim(file.path(folder, paste0(set, ".samples.tsv")), colClasses = "character")
  logcpm <- logcpm[, samples$sample]
  labels <- eBayes(lmFit(logcpm, model.matrix(~ samples$label)))
  value <- seq_len(ncol(logcpm))^2
  slope <- eBayes(lmFit(logcpm, model.matrix(~value)))
  table <- data.frame(gene_id = rownames(logcpm),
    f_label = format(labels$t[, 2]^2, digits = 15, trim = TRUE),
    f_value = format(slope$t[, 2]^2, digits = 15, trim = TRUE))
  write.table(table, file.path(folder, paste0(set, ".moderated.tsv")), sep = "\t", quote = FALSE, row.names = FALSE)
}
