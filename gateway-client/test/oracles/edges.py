"""Truths at the edges of the statistics: empty rows, groups that nobody is left of, one-sided intervals, small tails.

Run from the project's folder, with the environment of ist.py:
    venv/bin/python gateway-client/test/oracles/edges.py > gateway-client/test/oracles/edges.json
    npx prettier --write gateway-client/test/oracles/edges.json
"""

import json
import math
import warnings
from fractions import Fraction

import numpy as np
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable

warnings.simplefilter("ignore")
out = {}

# Breslow-Day: the third stratum has no patient without the event, so that its odds ratio is anything.
strata = [[[0, 8], [9, 9]], [[1, 1], [11, 3]], [[1, 0], [11, 0]]]
pooled = StratifiedTable([np.array(s, float) for s in strata])
telling = StratifiedTable([np.array(s, float) for s in strata[:2]])
assert math.isclose(pooled.oddsratio_pooled, telling.oddsratio_pooled)
out["breslowDay"] = {"strata": strata}
for name, adjust in {"plain": False, "tarone": True}.items():
    test = telling.test_equal_odds(adjust=adjust)
    out["breslowDay"][name] = {"statistic": float(test.statistic), "degreesOfFreedom": 1,
                               "pValue": float(stats.chi2.sf(test.statistic, 1))}

# Cochran-Mantel-Haenszel: the difference is below one half, which R's mantelhaen.test does not correct for.
near = [[[61, 68], [68, 37]], [[61, 7], [93, 44]]]
test = StratifiedTable([np.array(s, float) for s in near]).test_null_odds(correction=False)
out["continuity"] = {"strata": near, "statistic": float(test.statistic), "pValue": float(test.pvalue)}

# Half of ten die one by one: the product of their survivals is not 0.5 as doubles. Then everybody dies.
deaths = [1, 2, 1, 1, 0, 1, 0, 4]
time = np.repeat(np.arange(1, 9), deaths)
exact = math.prod((Fraction(10 - sum(deaths[: i + 1]), 10 - sum(deaths[:i])) for i in range(4)), start=Fraction(1))
assert exact == Fraction(1, 2)
out["median"] = {"deaths": deaths, "median": float(KaplanMeierFitter().fit(time).median_survival_time_)}

# Log-rank: the third group is lost before anybody dies, so it is not compared.
groups = [{"patients": 6, "points": [[1, 1], [2, 0], [1, 1]]}, {"patients": 7, "points": [[1, 0], [0, 1], [1, 2]]}]
times, events, names = [], [], []
for i, group in enumerate(groups):
    for t, (dead, censored) in enumerate(group["points"], 2):
        times += [t] * (dead + censored)
        events += [1] * dead + [0] * censored
        names += [i] * (dead + censored)
    left = group["patients"] - sum(map(sum, group["points"]))
    times, events, names = times + [9] * left, events + [0] * left, names + [i] * left
test = multivariate_logrank_test(times, names, events)
out["logRank"] = {"groups": groups, "statistic": test.test_statistic, "pValue": test.p_value, "degreesOfFreedom": 1}

# One-sided tests have intervals that are open on one side.
rng = np.random.default_rng(9)
a, b = rng.normal(100, 5, 41), rng.normal(97, 15, 28)
moments = [{"count": len(g), "mean": float(g.mean()), "variance": float(g.var(ddof=1))} for g in (a, b)]
out["tTest"] = {"groups": moments}
for equal in (True, False):
    one = {side: stats.ttest_ind(a, b, equal_var=equal, alternative=side).confidence_interval(0.9)
           for side in ("less", "greater")}
    out["tTest"]["equal" if equal else "unequal"] = {"upperOfLess": float(one["less"].high),
                                                     "lowerOfGreater": float(one["greater"].low)}
y = b[:28] + 0.4 * a[:28]
sums = {"count": 28, "sum": b.sum(), "squares": (b * b).sum(), "otherSum": y.sum(), "otherSquares": (y * y).sum(),
        "product": (b * y).sum()}
r = {side: stats.pearsonr(b, y, alternative=side) for side in ("less", "greater")}
out["correlation"] = {"sums": {k: float(v) for k, v in sums.items()},
                      "upperOfLess": float(r["less"].confidence_interval(0.95).high),
                      "lowerOfGreater": float(r["greater"].confidence_interval(0.95).low),
                      "pOfLess": float(r["less"].pvalue)}

# A difference of almost 0 among a million: the tail is one half less a millionth.
out["tail"] = {"t": 1e-5, "degreesOfFreedom": 1000000, "less": float(stats.t.cdf(1e-5, 1000000))}

# The sample quantile of the numbers 1 to 100, of decimal probabilities.
out["quantiles"] = {p: math.ceil(Fraction(p) * 100) for p in ("0.07", "0.14", "0.28", "0.29", "0.55", "0.56", "0.57")}
print(json.dumps(out, indent=1))
