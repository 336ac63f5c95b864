"""Truths for the statistics, computed from the International Stroke Trial by SciPy, statsmodels and lifelines.

Run from the project's folder:
    python -m venv venv && venv/bin/pip install -r gateway-client/test/oracles/requirements.txt
    venv/bin/python gateway-client/test/oracles/ist.py > gateway-client/test/oracles/ist.json
    npx prettier --write gateway-client/test/oracles/ist.json
"""

import json
import math
import warnings

import lifelines
import numpy as np
import pandas as pd
import scipy
import statsmodels
import statsmodels.api as sm
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from scipy import stats
from scipy.stats import contingency
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.miscmodels.ordinal_model import OrderedModel
from statsmodels.stats import meta_analysis, oneway, proportion, weightstats
from statsmodels.stats.contingency_tables import StratifiedTable, Table2x2

warnings.simplefilter("ignore")

ist = pd.read_csv("data/IST_corrected.csv.gz", encoding="windows-1250", low_memory=False)
ist["HEP"] = ist.RXHEP.replace({"H": "M"})
asp = {name: ist[ist.RXASP == name] for name in ("Y", "N")}
out = {}


def cells(frame, by, event):
    """Counts in the order of the levels of `by`, with and without the event."""
    return [[int((frame[by[0]] == level)[event(frame)].sum()), int((frame[by[0]] == level)[~event(frame)].sum())]
            for level in by[1]]


def plain(value):
    """What JSON can say; pandas' and NumPy's kinds become lists and numbers."""
    if isinstance(value, (pd.Series, pd.DataFrame)):
        value = value.to_numpy()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return value
    if isinstance(value, (np.integer, int)):
        return int(value)
    return None if value is None or not math.isfinite(value) else float(value)


death = cells(ist, ("RXASP", ("Y", "N")), lambda f: f.ID14 == 1)
known = ist[ist.OCCODE.isin([1, 2, 3, 4])]
dependent = cells(known, ("RXASP", ("Y", "N")), lambda f: f.OCCODE.isin([1, 2]))
bleeds = cells(ist[ist.HEP == "N"], ("RXASP", ("Y", "N")), lambda f: f.TRAN14 == 1)
small = [[1, 9], [11, 3]]


# Proportions
def proportions(events, patients, level):
    alpha = 1 - level
    result = {"events": events, "patients": patients, "level": level}
    names = {"wilson": "wilson", "wald": "normal", "agrestiCoull": "agresti_coull", "clopperPearson": "beta",
             "jeffreys": "jeffreys"}
    for ours, theirs in names.items():
        result[ours] = proportion.proportion_confint(events, patients, alpha=alpha, method=theirs)
    interval = stats.binomtest(events, patients).proportion_ci(confidence_level=level, method="wilsoncc")
    result["wilsonCorrected"] = (interval.low, interval.high)
    return result


out["proportion"] = [proportions(872, 9720, 0.95), proportions(6000, 9639, 0.99), proportions(3, 17, 0.9)]


# Tables
def two_by_two(table):
    (a, b), (c, d) = table
    t = Table2x2(np.array(table))
    pearson = stats.chi2_contingency(table, correction=False)
    yates = stats.chi2_contingency(table, correction=True)
    z, p = proportion.proportions_ztest([a, c], [a + b, c + d])
    result = {
        "table": table,
        "chiSquare": {"statistic": pearson.statistic, "pValue": pearson.pvalue, "degreesOfFreedom": pearson.dof,
                      "expected": pearson.expected_freq, "cramersV": contingency.association(np.array(table))},
        "yates": {"statistic": yates.statistic, "pValue": yates.pvalue},
        "fisher": {"two-sided": stats.fisher_exact(table).pvalue, "less": stats.fisher_exact(table, "less").pvalue,
                   "greater": stats.fisher_exact(table, "greater").pvalue},
        "zTest": {"statistic": z, "pValue": p},
        "oddsRatio": [t.oddsratio, *t.oddsratio_confint()],
        "riskRatio": [t.riskratio, *t.riskratio_confint(), t.log_riskratio_se],
        "riskDifference": {"estimate": a / (a + b) - c / (c + d)},
    }
    for ours, theirs in {"wald": "wald", "newcombe": "newcomb", "agrestiCaffo": "agresti-caffo"}.items():
        result["riskDifference"][ours] = proportion.confint_proportions_2indep(
            a, a + b, c, c + d, compare="diff", method=theirs)
    return result


out["twoByTwo"] = [two_by_two(table) for table in (death, dependent, bleeds, small)]
subtypes = ("TACS", "PACS", "POCS", "LACS", "OTH")
wide = [[int(((ist.STYPE == s) & (ist.RCONSC == c)).sum()) for c in ("F", "D", "U")] for s in subtypes]
test = stats.chi2_contingency(wide)
out["chiSquare"] = {"table": wide, "statistic": test.statistic, "degreesOfFreedom": test.dof, "pValue": test.pvalue,
                    "cramersV": contingency.association(np.array(wide))}

# Mantel-Haenszel, by subtype
strata = [cells(ist[ist.STYPE == s], ("RXASP", ("Y", "N")), lambda f: f.ID14 == 1) for s in subtypes]
mh = StratifiedTable([np.array(s) for s in strata])
cmh, cmh_corrected = mh.test_null_odds(), mh.test_null_odds(correction=True)
bd, bd_tarone = mh.test_equal_odds(), mh.test_equal_odds(adjust=True)
out["mantelHaenszel"] = {
    "strata": strata,
    "estimate": mh.oddsratio_pooled, "interval": mh.oddsratio_pooled_confint(),
    "logStandardError": mh.logodds_pooled_se,
    "test": {"statistic": cmh.statistic, "pValue": cmh.pvalue},
    "continuity": {"statistic": cmh_corrected.statistic, "pValue": cmh_corrected.pvalue},
    "breslowDay": {"statistic": bd.statistic, "pValue": bd.pvalue},
    "tarone": {"statistic": bd_tarone.statistic, "pValue": bd_tarone.pvalue},
}


# Means
def moments(values):
    return {"count": len(values), "mean": values.mean(), "variance": values.var(ddof=1)}


first, second = ist[ist.ID14 == 1].RSBP, ist[ist.ID14 == 0].RSBP
out["tTest"] = {"groups": [moments(first), moments(second)]}
for name, usevar in {"unequal": "unequal", "equal": "pooled"}.items():
    compare = weightstats.CompareMeans(weightstats.DescrStatsW(first), weightstats.DescrStatsW(second))
    statistic, p, df = compare.ttest_ind(usevar=usevar)
    less = compare.ttest_ind(usevar=usevar, alternative="smaller")[1]
    out["tTest"][name] = {"statistic": statistic, "pValue": p, "degreesOfFreedom": df, "less": less,
                          "interval": compare.tconfint_diff(usevar=usevar, alpha=0.1)}
single = weightstats.DescrStatsW(first)
out["mean"] = {**moments(first), "standardError": stats.sem(first), "interval": single.tconfint_mean(),
               "sum": int(first.sum()), "standardDeviation": first.std(ddof=1)}
groups = [ist[ist.STYPE == s].RSBP for s in subtypes]
f = stats.f_oneway(*groups)
welch = oneway.anova_oneway(groups, use_var="unequal", welch_correction=True)
plain_anova = oneway.anova_oneway(groups, use_var="equal")
out["anova"] = {"groups": [moments(g) for g in groups],
                "classic": {"statistic": f.statistic, "pValue": f.pvalue, "degreesOfFreedom": plain_anova.df},
                "welch": {"statistic": welch.statistic, "pValue": welch.pvalue, "degreesOfFreedom": welch.df}}


# Correlation and regression
def joint(x, y):
    return {"count": len(x), "sum": x.sum(), "squares": (x * x).sum(), "otherSum": y.sum(),
            "otherSquares": (y * y).sum(), "product": (x * y).sum()}


r = stats.pearsonr(ist.AGE, ist.RSBP)
ci = r.confidence_interval(0.95)
names = ["AGE", "RSBP", "RDELAY"]
out["correlation"] = {"sums": joint(ist.AGE, ist.RSBP), "estimate": r.statistic, "pValue": r.pvalue,
                      "interval": [ci.low, ci.high], "names": names,
                      "pairs": {f"{x} {y}": joint(ist[x], ist[y]) for i, x in enumerate(names) for y in names[i + 1:]},
                      "matrix": np.corrcoef(ist[names].to_numpy().T)}
design = pd.DataFrame({"intercept": 1.0, "AGE": ist.AGE.astype(float), "male": (ist.SEX == "M").astype(float),
                       "RDELAY": ist.RDELAY.astype(float)})
outcome = ist.RSBP.astype(float)
ols = sm.OLS(outcome, design).fit()
out["linearRegression"] = {
    "terms": list(design.columns), "products": design.T.to_numpy() @ design.to_numpy(),
    "outcomeProducts": design.T.to_numpy() @ outcome.to_numpy(), "outcomeSquares": (outcome**2).sum(),
    "coefficients": ols.params, "standardErrors": ols.bse, "pValues": ols.pvalues, "intervals": ols.conf_int(0.05),
    "statistics": ols.tvalues, "rSquared": ols.rsquared, "adjustedRSquared": ols.rsquared_adj,
    "residualVariance": ols.mse_resid, "overall": {"statistic": ols.fvalue, "pValue": ols.f_pvalue},
}
terms = pd.DataFrame({"intercept": 1.0, "AGE": (ist.AGE - 57.5) / 41.5, "male": (ist.SEX == "M").astype(float),
                      "drowsy": (ist.RCONSC == "D").astype(float), "unconscious": (ist.RCONSC == "U").astype(float),
                      "aspirin": (ist.RXASP == "Y").astype(float)})
logit = sm.Logit(ist.ID14, terms).fit(disp=0, method="newton", tol=1e-14, maxiter=100)
out["logisticRegression"] = {"terms": list(terms.columns), "coefficients": logit.params, "standardErrors": logit.bse,
                             "pValues": logit.pvalues, "logLikelihood": logit.llf, "intervals": logit.conf_int(0.05)}

# Meta-analysis: log odds ratios of the largest countries, death within 14 days by aspirin
countries = ["UK", "ITAL", "SWIT", "POLA", "NETH"]
studies = []
for country in countries:
    t = Table2x2(np.array(cells(ist[ist.COUNTRY == country], ("RXASP", ("Y", "N")), lambda f: f.ID14 == 1)))
    studies.append({"estimate": t.log_oddsratio, "standardError": t.log_oddsratio_se})
combined = meta_analysis.combine_effects(np.array([s["estimate"] for s in studies]),
                                         np.array([s["standardError"] ** 2 for s in studies]))
summary = combined.summary_frame().loc["fixed effect"]
out["fixedEffect"] = {"studies": studies, "estimate": summary["eff"], "standardError": summary["sd_eff"],
                      "interval": [summary["ci_low"], summary["ci_upp"]], "weights": combined.weights_rel_fe,
                      "q": combined.q, "qPValue": combined.test_homogeneity().pvalue,
                      "iSquared": max(0.0, combined.i2)}

# Survival: days to death, cut at 180; times rounded up to a grid
grid = [1, 2, 3, 5, 7, 10, 14, 21, 28, 60, 90, 120, 180]
timed = ist[ist.TD.notna()]
time, event = timed.TD.to_numpy(), timed.DIED.to_numpy()
index = np.searchsorted(grid, time)
time = np.array([*grid, 181])[index]
event = np.where(index < len(grid), event, 0)
arm = timed.STYPE.to_numpy()


def survival(mask):
    t, e = time[mask], event[mask]
    points = [{"time": g, "events": int(((t == g) & (e == 1)).sum()), "censored": int(((t == g) & (e == 0)).sum())}
              for g in grid]
    km = KaplanMeierFitter().fit(t, e)
    s = km.survival_function_at_times(grid).to_numpy()
    right = SurvfuncRight(t, e)
    error = np.array([right.surv_prob_se[np.searchsorted(right.surv_times, g, side="right") - 1]
                      if g >= right.surv_times[0] else 0.0 for g in grid])
    loglog = km.confidence_interval_survival_function_
    loglog = [loglog[loglog.index <= g].iloc[-1].to_list() for g in grid]
    z = stats.norm.ppf(0.975)
    return {"patients": len(t), "points": points, "survival": s, "standardErrors": error, "logLog": loglog,
            "plain": [[max(0, a - z * b), min(1, a + z * b)] for a, b in zip(s, error)],
            "log": [[a * math.exp(-z * b / a), min(1, a * math.exp(z * b / a))] for a, b in zip(s, error)]}


out["survival"] = {s: survival(arm == s) for s in subtypes}
severe = (arm == "TACS") & (timed.AGE.to_numpy() > 85)
out["medianSurvival"] = {**survival(severe), "median": KaplanMeierFitter().fit(time[severe], event[severe])
                         .median_survival_time_}
test = multivariate_logrank_test(time, arm, event)
out["logRank"] = {"statistic": test.test_statistic, "pValue": test.p_value, "degreesOfFreedom": 4}
asp_arm = timed.RXASP.to_numpy()
test = multivariate_logrank_test(time, asp_arm, event)
out["logRankTwo"] = {"statistic": test.test_statistic, "pValue": test.p_value,
                     "groups": [{k: v for k, v in survival(asp_arm == a).items() if k in ("patients", "points")}
                                for a in ("Y", "N")]}

# What the experiments ask of encrypted records, where no cell may be empty: by consciousness, by sex, on a coarse grid.
levels = ("F", "D", "U")
by_sex = [[int(((ist.RCONSC == c) & (ist.SEX == s)).sum()) for s in ("M", "F")] for c in levels]
test = stats.chi2_contingency(by_sex)
conscious = StratifiedTable([np.array(cells(ist[ist.RCONSC == c], ("RXASP", ("Y", "N")), lambda f: f.ID14 == 1))
                             for c in levels])
sexes = [Table2x2(np.array(cells(ist[ist.SEX == s], ("RXASP", ("Y", "N")), lambda f: f.ID14 == 1))) for s in ("M", "F")]
combined = meta_analysis.combine_effects(np.array([t.log_oddsratio for t in sexes]),
                                         np.array([t.log_oddsratio_se**2 for t in sexes]))
with open("data/schemas/ist-study.json", encoding="utf-8") as file:
    coarse = next(v["grid"] for v in json.load(file)["variables"] if v["name"] == "SURVIVAL")
index = np.searchsorted(coarse, timed.TD.to_numpy())
coarse_time = np.array([*coarse, coarse[-1] + 1])[index]
coarse_event = np.where(index < len(coarse), timed.DIED.to_numpy(), 0)
curves = {}
for a in ("Y", "N"):
    km = KaplanMeierFitter().fit(coarse_time[asp_arm == a], coarse_event[asp_arm == a])
    curves[a] = {str(g): float(km.survival_function_at_times(g).iloc[0]) for g in coarse}
coarse_test = multivariate_logrank_test(coarse_time, asp_arm, coarse_event)
cmh = conscious.test_null_odds(correction=True)
out["encrypted"] = {
    "chiSquare": {"statistic": test.statistic, "pValue": test.pvalue, "cramersV": contingency.association(np.array(by_sex))},
    "mantelHaenszel": {"estimate": conscious.oddsratio_pooled, "interval": conscious.oddsratio_pooled_confint(),
                       "corrected": cmh.statistic, "breslowDay": conscious.test_equal_odds().statistic,
                       "taronePValue": conscious.test_equal_odds(adjust=True).pvalue},
    "fixedEffect": {"estimate": math.exp(combined.summary_frame().loc["fixed effect"]["eff"]), "q": combined.q},
    "survival": curves, "logRank": {"statistic": coarse_test.test_statistic, "pValue": coarse_test.p_value},
}

# Shift: the outcome at six months from recovered (lowest) to dead, by aspirin
scale = [4, 3, 2, 1]
exposed, unexposed = ([int(((known.RXASP == a) & (known.OCCODE == o)).sum()) for o in scale] for a in ("Y", "N"))
level = known.OCCODE.map({o: i for i, o in enumerate(scale)}).astype(int)
endog = pd.Series(pd.Categorical(level, ordered=True))
exog = (known.RXASP == "Y").astype(float).to_numpy()[:, None]
start = OrderedModel(endog, exog, distr="logit").fit(method="bfgs", disp=0, gtol=1e-9, maxiter=500)
shift = OrderedModel(endog, exog, distr="logit").fit(method="newton", start_params=start.params, disp=0, maxiter=100)
out["commonOddsRatio"] = {"exposed": exposed, "unexposed": unexposed, "estimate": math.exp(shift.params.iloc[0]),
                          "logStandardError": shift.bse.iloc[0], "pValue": shift.pvalues.iloc[0],
                          "interval": np.exp(shift.conf_int().iloc[0])}

# Quantiles: age in bands of ten years
edges = list(range(10, 101, 10))
counts = np.histogram(ist.AGE, bins=[e + 0.5 for e in edges])[0]
out["quantile"] = {"edges": edges, "counts": counts,
                   "type1": {str(p): float(np.quantile(ist.AGE, p, method="inverted_cdf")) for p in (0.05, 0.25, 0.5, 0.75, 0.95)}}

# Counts that our own reading of the table must give
out["counts"] = {"patients": len(ist), "countries": int(ist.COUNTRY.nunique()),
                 "death": death, "dependent": dependent, "bleedsWithoutHeparin": bleeds,
                 "strata": strata, "conscious": wide}

out["tools"] = {m.__name__: m.__version__ for m in (np, scipy, pd, statsmodels, lifelines)}
print(json.dumps(plain(out), indent=1))
