# Baseline of expression.py: edgeR's TMM and log2 CPM, or sva's ComBat, on numbers read from a raw file.
# usage: Rscript expression.R tmm|combat FILE SAMPLES GENES BATCHES OUT     the first 50 samples go to OUT as doubles
suppressMessages({library(edgeR); library(sva)})
given <- commandArgs(TRUE)
n <- as.integer(given[3]); g <- as.integer(given[4])
if (given[1] == "tmm") {
  x <- matrix(readBin(given[2], "integer", n * g, size = 4), g, n)
  seconds <- system.time({
    dge <- calcNormFactors(DGEList(x))
    y <- cpm(dge, log = TRUE)
  })
} else {
  x <- matrix(readBin(given[2], "numeric", n * g, size = 4), g, n)
  batch <- (seq_len(n) - 1) %% as.integer(given[5])
  seconds <- system.time(y <- suppressMessages(ComBat(x, batch)))
}
writeBin(as.vector(y[, 1:50]), given[6])
peak <- grep("VmHWM", readLines("/proc/self/status"), value = TRUE)
cat(seconds[["elapsed"]], seconds[["user.self"]] + seconds[["sys.self"]], as.numeric(gsub("[^0-9]", "", peak)) / 1e6, "\n")
