# Elapsed and processor seconds that a package of R takes for m synthetic sets by cart, without
# reading the data.
# Usage: Rscript reference.R PACKAGE FILE M MINBUCKET
#   mice:     where = "all", as in Volker & Vink (2021)
#   synthpop: syn(), method cart
#   rpart:    the fits alone that synthpop makes, m times; no draw, so a lower bound of its time
arguments <- commandArgs(trailingOnly = TRUE)
package <- arguments[1]
data <- read.csv(arguments[2], stringsAsFactors = TRUE)
m <- as.integer(arguments[3])
minbucket <- as.integer(arguments[4])
if (!suppressMessages(suppressWarnings(require(package, character.only = TRUE, quietly = TRUE)))) {
  quit(status = 3)
}
set.seed(1)
run <- switch(package,
  mice = function() mice(data, m = m, maxit = 1, method = "cart", where = make.where(data, "all"),
                         minbucket = minbucket, cp = 1e-8, printFlag = FALSE),
  synthpop = function() syn(data, m = m, method = "cart", cart.minbucket = minbucket,
                            cart.cp = 1e-8, print.flag = FALSE),
  rpart = function() for (set in seq_len(m)) for (j in 2:ncol(data)) {
    rpart(reformulate(names(data)[seq_len(j - 1)], names(data)[j]), data,
          minbucket = minbucket, cp = 1e-8)
  })
used <- system.time(suppressWarnings(run()))
cat(used[["elapsed"]], used[["user.self"]] + used[["sys.self"]], "\n")
