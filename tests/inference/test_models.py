"""Analysis models give R's estimates under R's names and refuse what cannot be estimated."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from synth_tasks.errors import ConvergenceWarning, ModelError
from synth_tasks.inference import MODELS, check_analysis, fit_model

R_OLS = range(9)
R_ORDERED_LOGIT = range(2)


def without_spaces(terms):
    return [term.replace(" ", "") for term in terms]


class TestAgreementWithR:
    @pytest.mark.parametrize("case", R_OLS)
    def test_linear_models(self, boys, r_models, case):
        expected = r_models["ols"][case]
        fit = fit_model(boys, "ols", expected["formula"])
        assert without_spaces(fit.terms) == without_spaces(expected["terms"])
        np.testing.assert_allclose(fit.estimates, expected["estimates"], rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(fit.std_errors, expected["std_errors"], rtol=1e-8)
        assert fit.df_residual == expected["df_residual"]

    @pytest.mark.parametrize("case", R_ORDERED_LOGIT)
    def test_ordered_logit(self, boys, r_models, case):
        expected = r_models["ordered_logit"][case]
        fit = fit_model(boys, "ordered_logit", expected["formula"])
        assert list(fit.terms) == expected["terms"]
        np.testing.assert_allclose(fit.estimates, expected["estimates"], rtol=1e-5)
        np.testing.assert_allclose(fit.std_errors, expected["std_errors"], rtol=1e-4)
        assert fit.df_residual == expected["df_residual"]

    def test_every_case_of_the_fixture_is_used(self, r_models):
        assert len(r_models["ols"]) == len(R_OLS)
        assert len(r_models["ordered_logit"]) == len(R_ORDERED_LOGIT)


class TestAgreementWithThePaper:
    """Volker & Vink (2021), tables 3 to 5: the values called true, printed to three decimals."""

    def test_table_3_correlations(self, boys):
        fit = fit_model(boys, "correlation", variables=["age", "hgt", "wgt", "bmi", "hc", "tv"])
        published = [.976, .950, .627, .853, .810, .944, .596, .907, .754, .791, .834, .817, .588,
                     .610, .623]  # fmt: skip
        np.testing.assert_allclose(np.tanh(fit.estimates), published, atol=5.1e-4)

    def test_table_4_linear_model(self, boys):
        fit = fit_model(boys, "ols", "hgt ~ age + phb")
        published = [63.087, 7.174, -12.250, -1.376, -3.564, -0.431, 2.064]
        np.testing.assert_allclose(fit.estimates, published, atol=5.1e-4)
        assert fit.terms == ("(Intercept)", "age", "phb.L", "phb.Q", "phb.C", "phb^4", "phb^5")

    def test_table_5_ordered_logit(self, boys):
        fit = fit_model(boys, "ordered_logit", "gen ~ age + hc + reg")
        published = [.461, -.188, -.339, .486, .646, -.069, -6.322, -4.501, -3.842, -2.639]  # fmt: skip
        np.testing.assert_allclose(fit.estimates, published, atol=6e-4)
        assert fit.terms == ("age", "hc", "regeast", "regwest", "regsouth", "regcity",
                             "G1|G2", "G2|G3", "G3|G4", "G4|G5")  # fmt: skip


def test_ols_agrees_with_statsmodels_on_random_data():
    from statsmodels.regression.linear_model import OLS

    rng = np.random.default_rng(3)
    data = pd.DataFrame(rng.normal(size=(60, 4)), columns=list("yabc"))
    data["a"] = data["a"] * 1e5 + 1e6
    fit = fit_model(data, "ols", "y ~ a + b * c")
    x = np.column_stack([np.ones(60), data[["a", "b", "c"]], data["b"] * data["c"]])
    expected = OLS(data["y"].to_numpy(), x).fit()
    np.testing.assert_allclose(fit.estimates, expected.params, rtol=1e-8)
    np.testing.assert_allclose(fit.covariance, expected.cov_params(), rtol=1e-6)


class TestFormulas:
    def test_powers_are_written_as_in_r(self, boys):
        assert fit_model(boys, "ols", "wgt ~ age + I(age^2)").terms[2] == "I(age^2)"

    def test_orthogonal_polynomials_fit_as_raw_ones(self, boys):
        orthogonal = fit_model(boys, "ols", "wgt ~ poly(age, 2)")
        raw = fit_model(boys, "ols", "wgt ~ age + I(age^2)")
        assert orthogonal.terms == ("(Intercept)", "poly(age, 2)1", "poly(age, 2)2")
        # The last t value does not depend on the parameterisation.
        t_values = [fit.estimates[2] / fit.std_errors[2] for fit in (orthogonal, raw)]
        assert t_values[0] == pytest.approx(t_values[1])

    def test_splines_are_named_by_number(self, boys):
        fit = fit_model(boys, "ols", "wgt ~ bs(age, df=4)")
        assert fit.terms[1:] == tuple(f"bs(age, df=4){i}" for i in range(1, 5))

    def test_columns_whose_names_python_cannot_read(self, boys):
        renamed = boys.rename(columns={"age": "age.years", "hc": "head size", "wgt": "class"})
        fit = fit_model(renamed, "ols", "hgt ~ age.years + log(`head size`) + class")
        assert fit.terms == ("(Intercept)", "age.years", "log(head size)", "class")
        expected = fit_model(boys, "ols", "hgt ~ age + log(hc) + wgt")
        np.testing.assert_allclose(fit.estimates, expected.estimates)

    def test_columns_named_like_the_aliases_within(self, boys):
        renamed = boys.rename(columns={"age": "a.b", "hc": "column_alias_1_"})
        fit = fit_model(renamed, "ols", "hgt ~ a.b + column_alias_1_")
        expected = fit_model(boys, "ols", "hgt ~ age + hc")
        np.testing.assert_allclose(fit.estimates, expected.estimates)

    def test_names_of_functions_are_no_data(self, boys):
        data = boys.assign(log=1.0, np=2.0)
        fit = fit_model(data, "ols", "hgt ~ log(age)")
        np.testing.assert_allclose(
            fit.estimates, fit_model(boys, "ols", "hgt ~ log(age)").estimates
        )

    @pytest.mark.parametrize("dtype", ["object", "string", "str"])
    def test_texts_are_categories_in_alphabetical_order(self, boys, dtype):
        data = boys.assign(reg=boys["reg"].astype(str).astype(dtype))
        terms = fit_model(data, "ols", "hgt ~ reg").terms
        assert terms == ("(Intercept)", "regeast", "regnorth", "regsouth", "regwest")

    def test_nullable_integers_and_booleans_are_numbers(self, boys):
        data = boys.assign(tv=boys["tv"].astype("Int64"), tall=boys["hgt"] > 150)
        fit = fit_model(data, "ols", "wgt ~ tv + tall")
        assert fit.terms == ("(Intercept)", "tv", "tall")

    def test_row_labels_do_not_matter(self, boys):
        shuffled = boys.sample(frac=1, random_state=1)
        shuffled.index = ["same"] * len(boys)
        here, there = (fit_model(d, "ols", "hgt ~ age + phb") for d in (boys, shuffled))
        np.testing.assert_allclose(here.estimates, there.estimates)


class TestMeans:
    def test_numeric_variable(self, boys):
        fit = fit_model(boys, "mean", variables=["age"])
        assert fit.terms == ("age",)
        assert fit.estimates[0] == pytest.approx(boys["age"].mean())
        assert fit.covariance[0, 0] == pytest.approx(boys["age"].var() / 748)

    def test_proportions_of_a_categorical_variable(self, boys):
        fit = fit_model(boys, "mean", variables=["reg"])
        assert fit.terms == ("reg[north]", "reg[east]", "reg[west]", "reg[south]", "reg[city]")
        p = (boys["reg"] == "south").mean()
        assert fit.estimates[3] == pytest.approx(p)
        assert fit.covariance[3, 3] == pytest.approx(p * (1 - p) / 747)
        assert fit.estimates.sum() == pytest.approx(1)

    def test_covariance_of_two_means(self, boys):
        fit = fit_model(boys, "mean", variables=["age", "hgt"])
        assert fit.covariance[0, 1] == pytest.approx(boys["age"].cov(boys["hgt"]) / 748)


class TestCorrelations:
    def test_z_scale(self, boys):
        fit = fit_model(boys, "correlation", variables=["age", "hgt", "wgt"])
        assert fit.terms == ("age:hgt", "age:wgt", "hgt:wgt")
        assert fit.scale == "fisher_z"
        assert fit.estimates[0] == pytest.approx(np.arctanh(boys["age"].corr(boys["hgt"])))
        np.testing.assert_allclose(np.diag(fit.covariance), 1 / 745)

    def test_covariance_is_that_of_simulated_correlations(self):
        truth = np.eye(4)
        truth[np.triu_indices(4, k=1)] = [0.6, 0.3, 0.1, 0.5, 0.0, -0.4]
        truth = truth + truth.T - np.eye(4)
        rng = np.random.default_rng(5)
        n, replicates = 100, 4000
        draws = rng.multivariate_normal(np.zeros(4), truth, size=(replicates, n))
        draws -= draws.mean(axis=1, keepdims=True)
        draws /= np.linalg.norm(draws, axis=1, keepdims=True)
        pairs = np.triu_indices(4, k=1)
        z = np.arctanh((draws.transpose(0, 2, 1) @ draws)[:, *pairs])
        large = rng.multivariate_normal(np.zeros(4), truth, size=100_000)
        fit = fit_model(
            pd.DataFrame(large, columns=list("abcd")), "correlation", variables=list("abcd")
        )
        monte_carlo_error = 1 / np.sqrt(replicates)
        np.testing.assert_allclose(
            np.cov(z, rowvar=False) * (n - 3),
            fit.covariance * (100_000 - 3),
            atol=4.5 * monte_carlo_error,
        )

    def test_perfect_correlation_is_refused(self, boys):
        data = boys.assign(double=2 * boys["age"])
        with pytest.raises(ModelError, match="'age:double' is perfect"):
            fit_model(data, "correlation", variables=["age", "double"])

    @pytest.mark.parametrize("variable", ["reg", "constant"])
    def test_categories_and_constants_have_no_correlation(self, boys, variable):
        with pytest.raises(ModelError, match=variable):
            fit_model(boys.assign(constant=1.0), "correlation", variables=["age", variable])

    def test_one_variable_has_no_correlation(self, boys):
        with pytest.raises(ModelError, match="at least two variables"):
            fit_model(boys, "correlation", variables=["age"])


class TestRefusals:
    def test_missing_values_are_counted(self, boys):
        data = boys.assign(hc=boys["hc"].mask(boys.index < 7))
        with pytest.raises(ModelError, match=r"column 'hc' has 7 missing value\(s\): impute"):
            fit_model(data, "ols", "hgt ~ age + hc")
        with pytest.raises(ModelError, match="'hc' has 7 missing"):
            fit_model(data, "mean", variables=["age", "hc"])

    def test_missing_values_elsewhere_do_not_matter(self, boys):
        data = boys.assign(hc=np.nan)
        assert fit_model(data, "ols", "hgt ~ age").n == 748

    @pytest.mark.parametrize("model", ["ols", "ordered_logit"])
    def test_aliased_term_is_named(self, boys, model):
        response = {"ols": "hgt", "ordered_logit": "gen"}[model]
        data = boys.assign(months=12 * boys["age"])
        with pytest.raises(ModelError, match="the term 'months' is a linear combination"):
            fit_model(data, model, f"{response} ~ age + hc + months")

    def test_level_without_rows(self, boys):
        data = boys[boys["reg"] != "city"]
        with pytest.raises(ModelError, match=r"column 'reg' has 1 level\(s\) without rows"):
            fit_model(data, "ols", "hgt ~ reg")

    def test_level_of_the_response_without_rows(self, boys):
        data = boys[boys["gen"] != "G3"]
        with pytest.raises(ModelError, match=r"column 'gen' has 1 level\(s\) without rows"):
            fit_model(data, "ordered_logit", "gen ~ age")

    def test_separated_levels(self, boys):
        data = boys.assign(
            stage=pd.cut(boys["age"], [0, 5, 10, 30], labels=["young", "middle", "old"])
        )
        with pytest.warns(ConvergenceWarning, match="no finite estimates"):
            fit = fit_model(data, "ordered_logit", "stage ~ age")
        assert not fit.converged
        assert "leave a predictor out or merge levels" in fit.message

    def test_transformation_that_is_not_finite(self, boys):
        with pytest.raises(ModelError, match=r"'log\(age - 1\)' is not a finite number in \d+ row"):
            fit_model(boys, "ols", "hgt ~ log(age - 1)")

    def test_function_of_a_category_does_not_show_values(self, boys):
        with pytest.raises(ModelError, match="cannot be computed") as refusal:
            fit_model(boys, "ols", "hgt ~ log(reg)")
        assert "south" not in str(refusal.value)
        assert refusal.value.__suppress_context__

    def test_more_terms_than_rows(self, boys):
        with pytest.raises(ModelError, match="7 terms for 6 rows"):
            fit_model(boys.groupby("phb", observed=True).head(1), "ols", "hgt ~ age + phb")

    def test_dates_are_no_numbers(self, boys):
        data = boys.assign(day=pd.Timestamp("2024-01-31"))
        with pytest.raises(ModelError, match="column 'day' has the dtype datetime64"):
            fit_model(data, "ols", "hgt ~ day")

    @pytest.mark.parametrize(
        ("model", "formula", "message"),
        [
            ("ols", "reg ~ age", "not numeric: use the model ordered_logit"),
            ("ordered_logit", "reg ~ age", "'reg' is not ordered: declare it"),
            ("ordered_logit", "tv ~ age", "'tv' is not ordered: declare it"),
            ("ordered_logit", "log(age) ~ hc", "needs a column as response"),
            ("ordered_logit", "gen ~ 0 + age", "do not remove the intercept"),
        ],
    )
    def test_response_of_the_wrong_kind(self, boys, model, formula, message):
        with pytest.raises(ModelError, match=message):
            fit_model(boys, model, formula)


class TestCheckAnalysis:
    COLUMNS = ("age", "hgt", "gen")

    @pytest.mark.parametrize(
        ("model", "formula", "variables", "message"),
        [
            ("probit", "gen ~ age", None, "unknown model 'probit': use one of ols, logit, poisson"),
            ("ols", None, None, "'ols' needs formula"),
            ("ols", "hgt ~ age", ["age"], "'ols' takes no variables"),
            ("mean", None, [], "'mean' needs variables"),
            ("mean", "hgt ~ age", ["age"], "'mean' takes no formula"),
            ("mean", None, ["agee"], "unknown column 'agee': the data have age, hgt, gen"),
            ("mean", None, ["age", "age"], "names the column 'age' twice"),
            ("ols", "hgt ~ agee", None, "unknown column 'agee'"),
            ("ols", "hgt ~ __import__('os')", None, "not allowed"),
        ],
    )
    def test_what_is_wrong_is_found_without_data(self, model, formula, variables, message):
        with pytest.raises(ModelError, match=message):
            check_analysis(model, formula, variables, self.COLUMNS)

    def test_what_is_right_passes(self):
        check_analysis("ols", "hgt ~ age", None, self.COLUMNS)
        check_analysis("correlation", None, ["age", "hgt"], self.COLUMNS)

    @pytest.mark.parametrize(
        ("model", "options", "message"),
        [
            ("ols", {"covariance": "HC4"}, "covariance must be one of model, HC0, HC1, HC2, HC3"),
            ("mean", {"covariance": "HC3"}, "takes no covariance: it is for ols, logit, poisson"),
            ("ols", {"probabilities": [0.5]}, "takes no probabilities: it is for quantile"),
            ("ols", {"weights": "w"}, "takes no weights: use covariance, probabilities"),
            ("quantile", {"probabilities": [0.5, 1.0]}, "numbers between 0 and 1"),
            ("quantile", {"probabilities": "0.5"}, "numbers between 0 and 1"),
            ("quantile", {"probabilities": [True]}, "numbers between 0 and 1"),
            ("quantile", {"probabilities": []}, "numbers between 0 and 1"),
            ("quantile", {"probabilities": [0.5, 0.5]}, "a quantile twice"),
        ],
    )
    def test_options_are_checked(self, model, options, message):
        formula, variables = ("hgt ~ age", None) if model == "ols" else (None, ["age"])
        with pytest.raises(ModelError, match=message):
            check_analysis(model, formula, variables, self.COLUMNS, options)

    def test_the_models_there_are(self):
        assert list(MODELS) == [
            "ols", "logit", "poisson", "gamma", "ordered_logit", "multinomial_logit",
            "mean", "variance", "quantile", "correlation", "table", "cramers_v",
        ]  # fmt: skip

    def test_the_docstring_of_fit_model_names_them_all(self):
        assert all(f'"{model}"' in fit_model.__doc__ for model in MODELS)


def test_importing_the_package_imports_no_orchestrator_and_no_plots():
    heavy = ["prefect", "great_expectations", "matplotlib", "statsmodels"]
    code = f"import synth_tasks.inference, sys; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_a_level_that_does_not_occur_has_the_proportion_zero() -> None:
    column = pd.Categorical(["a", "b", "a"], categories=["a", "b", "c"])
    fit = fit_model(pd.DataFrame({"g": column}), "mean", variables=["g"])
    assert fit.terms == ("g[a]", "g[b]", "g[c]")
    np.testing.assert_allclose(fit.estimates, [2 / 3, 1 / 3, 0])
