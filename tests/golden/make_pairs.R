# Make tests/golden/data/switchbox.tsv again: the pairs of switchBox (Afsari et al. 2015) on two published sets.
#   BiocManager::install("switchBox")      then      Rscript tests/golden/make_pairs.R FOLDER_OF_THE_SETS
suppressMessages(library(switchBox))
folder <- commandArgs(trailingOnly = TRUE)[1]
found <- NULL
for (set in c("cervical_mirna", "hapmap_tsi_gender")) {
  values <- as.matrix(read.delim(gzfile(file.path(folder, set, "counts.tsv.gz")), row.names = 1, check.names = FALSE))
  samples <- read.delim(file.path(folder, set, "samples.tsv"), colClasses = "character")
  values <- values[seq(1, nrow(values), by = if (nrow(values) > 1000) 10 else 1), samples$sample] # all pairs fit in memory
  fitted <- SWAP.Train.KTSP(values, factor(samples$label), krange = 9, FilterFunc = NULL)
  found <- rbind(found, data.frame(set, higher = fitted$TSPs[, 1], lower = fitted$TSPs[, 2], score = format(fitted$score, digits = 9)))
}
write.table(found, "tests/golden/data/switchbox.tsv", sep = "\t", quote = FALSE, row.names = FALSE)
