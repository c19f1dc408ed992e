# pMSE of a logistic regression with all products of two variables, from its definition:
#   Rscript make_pmse_boys.R ../../../synth_tasks/datasets/boys.csv > pmse_boys.csv
# Complete boys of five variables; every third one plays the synthetic set. Made with R 4.2.2.
boys <- read.csv(commandArgs(trailingOnly = TRUE)[1], stringsAsFactors = TRUE)
boys <- na.omit(boys[, c("age", "hgt", "wgt", "hc", "reg")])
boys$synthetic <- as.numeric(seq_len(nrow(boys)) %% 3 == 0)
boys[1:4] <- scale(boys[1:4])
fit <- glm(synthetic ~ (age + hgt + wgt + hc + reg)^2, binomial, boys,
           control = glm.control(epsilon = 1e-14, maxit = 100))
p <- fitted(fit); N <- nrow(boys); c <- mean(boys$synthetic); K <- fit$rank
pmse <- mean((p - c)^2)
expectation <- (K - 1) * (1 - c)^2 * c / N
deviation <- sqrt(2 * (K - 1)) * (1 - c)^2 * c / N
specks <- suppressWarnings(ks.test(p[boys$synthetic == 1], p[boys$synthetic == 0])$statistic)
cat("metric,value\n")
cat(sprintf("pmse_logit,%.10f\npmse_logit_z,%.10f\nspecks_logit,%.10f\n",
            pmse / expectation, (pmse - expectation) / deviation, specks))
