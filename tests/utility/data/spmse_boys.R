# S_pMSE of one- and two-way tables, written from its definition with classInt's quantile groups:
#   Rscript spmse_boys.R ../../../synth_tasks/datasets/boys.csv > spmse_boys.csv
# Every third boy plays the synthetic set (k = 249), the others the real table (n = 499).
# Made with R 4.2.2 and classInt.
suppressPackageStartupMessages(library(classInt))
boys <- read.csv(commandArgs(trailingOnly = TRUE)[1], stringsAsFactors = TRUE)
synthetic <- seq_len(nrow(boys)) %% 3 == 0
cells <- lapply(boys, function(x) {
  if (is.numeric(x)) {
    breaks <- unique(suppressWarnings(classIntervals(x[!is.na(x)], n = 5, style = "quantile"))$brks)
    x <- cut(x, breaks, right = FALSE, include.lowest = TRUE)
  }
  addNA(x, ifany = TRUE)
})
spmse <- function(...) {
  d <- c(table(lapply(list(...), function(x) x[!synthetic]), useNA = "ifany"))
  s <- c(table(lapply(list(...), function(x) x[synthetic]), useNA = "ifany"))
  used <- d + s > 0
  d <- d[used]; s <- s[used]
  score <- s / (s + d)
  N <- sum(s + d); c <- sum(s) / N
  pmse <- sum((s + d) * (score - c)^2) / N
  pmse / ((length(d) - 1) * (1 - c)^2 * c / N)
}
cat("target,spmse\n")
p <- names(boys)
for (i in seq_along(p)) cat(sprintf("%s,%.12f\n", p[i], spmse(cells[[i]])))
for (i in seq_along(p)) for (j in seq_along(p)) if (i < j)
  cat(sprintf("%s:%s,%.12f\n", p[i], p[j], spmse(cells[[i]], cells[[j]])))
