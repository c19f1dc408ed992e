# Measures of identity and attribute disclosure by table arithmetic in base R, straight from the formulas
# in Raab, Nowok & Dibben (2024), arXiv:2406.16826, appendix.
# Run in this folder: Rscript make_attribution.R

set.seed(1)
draw <- function(n, shift) {
  sex <- sample(c("f", "m"), n, replace = TRUE)
  age <- pmin(pmax(round(rnorm(n, 40 + shift, 12)), 18), 70)
  region <- sample(c("north", "east", "south"), n, replace = TRUE, prob = c(5, 3, 2))
  job <- ifelse(age > 60, "retired", sample(c("work", "study", "none"), n, replace = TRUE))
  income <- round(rgamma(n, 2, 0.5) * 2) * 5
  table <- data.frame(sex, age, region, job, income)
  table$region[runif(n) < 0.08] <- NA
  table$income[runif(n) < 0.15] <- NA
  table
}
real <- draw(240, 0)
synthetic <- rbind(draw(160, 1), real[c(3, 50, 111, 112, 200), ])
write.csv(real, "attribution_real.csv", row.names = FALSE)
write.csv(synthetic, "attribution_synthetic.csv", row.names = FALSE)

combine <- function(table, names) do.call(paste, c(lapply(table[names], as.character), sep = "|"))

measure <- function(keys, target) {
  q <- c(combine(real, keys), combine(synthetic, keys))
  t <- c(as.character(real[[target]]), as.character(synthetic[[target]]))
  t[is.na(t)] <- "missing"
  levels_q <- unique(q)
  levels_t <- unique(t)
  in_real <- seq_along(q) <= nrow(real)
  d <- table(factor(t[in_real], levels_t), factor(q[in_real], levels_q))
  s <- table(factor(t[!in_real], levels_t), factor(q[!in_real], levels_q))
  n <- sum(d)
  k <- sum(s)
  dq <- colSums(d)
  sq <- colSums(s)
  pd <- sweep(d, 2, pmax(dq, 1), "/")
  ps <- sweep(s, 2, pmax(sq, 1), "/")
  told <- colSums(ps == 1) > 0
  values <- c(
    UiO = sum(dq == 1) / n,
    UiS = sum(sq == 1) / k,
    UiOiS = sum(dq == 1 & sq > 0) / n,
    repU = sum(dq == 1 & sq == 1) / n,
    keys_in_synthetic = sum(dq[sq > 0]) / n,
    disclosive_synthetic = sum(dq[told]) / n,
    disco = sum(d[ps == 1]) / n,
    disclosive_both = sum(d[ps == 1 & pd == 1]) / n,
    disclosive_original = sum(d[pd == 1]) / n,
    dcap = sum(ps * d) / n,
    cap_original = sum(pd * d) / n,
    cap_baseline = sum((rowSums(d) / n)^2),
    tcap = sum(d[ps == 1]) / max(sum(dq[told]), 1)
  )
  data.frame(
    keys = paste(keys, collapse = "+"), target = target, metric = names(values),
    value = 100 * values, row.names = NULL
  )
}

cases <- list(
  list(c("sex", "age", "region"), "job"),
  list(c("sex", "age", "region"), "income"),
  list(c("age"), "job"),
  list(c("region", "job"), "sex"),
  list(c("income"), "region"),
  list(c("sex", "age", "region", "job"), "income")
)
expected <- do.call(rbind, lapply(cases, function(case) measure(case[[1]], case[[2]])))
expected$value <- format(expected$value, digits = 15)
write.csv(expected, "attribution_expected.csv", row.names = FALSE, quote = FALSE)
