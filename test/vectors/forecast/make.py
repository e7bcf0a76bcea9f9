"""Makes holt-winters.json and linear.json with statsmodels: python3 -m venv v && v/bin/pip install statsmodels && v/bin/python make.py"""
import json
import warnings

import numpy
import statsmodels
import statsmodels.api as sm
from statsmodels.tsa.holtwinters import ExponentialSmoothing

warnings.simplefilter("ignore")
chance = numpy.random.default_rng(20261123)


def values(count, period, trend):
    at = numpy.arange(count)
    season = 40 * numpy.sin(2 * numpy.pi * at / period) if period > 1 else 0
    return numpy.round(200 + trend * at + season + chance.normal(0, 5, count), 3)


cases = []
for trend in ("none", "add", "mul"):
    for seasonal in ("none", "add", "mul"):
        for damped in (False, True):
            if trend == "none" and damped:
                continue
            for known in (False, True):
                period = 6 if seasonal != "none" else 1
                y = values(30, period, 2.0)
                alpha, beta, gamma, phi = 0.4, 0.15, 0.25, 0.9
                m = period
                level = y[:m].mean() if seasonal != "none" else y[0]
                second = y[m : 2 * m].mean()
                if seasonal == "none":
                    slope = y[1] / y[0] if trend == "mul" else y[1] - y[0]
                else:
                    slope = (second / level) ** (1 / m) if trend == "mul" else (second - level) / m
                season = (y[:m] - level) if seasonal == "add" else (y[:m] / level)
                if known:
                    level, slope = 190.0, (1.02 if trend == "mul" else 1.5)
                    season = numpy.linspace(-10, 10, m) if seasonal == "add" else numpy.linspace(0.9, 1.1, m)
                options = {"initial_level": level}
                fixed = {"smoothing_level": alpha}
                if trend != "none":
                    options["initial_trend"] = slope
                    fixed["smoothing_trend"] = beta
                if damped:
                    fixed["damping_trend"] = phi
                if seasonal != "none":
                    options["initial_seasonal"] = season
                    fixed["smoothing_seasonal"] = gamma
                model = ExponentialSmoothing(
                    y,
                    trend=None if trend == "none" else trend,
                    damped_trend=damped,
                    seasonal=None if seasonal == "none" else seasonal,
                    seasonal_periods=m if seasonal != "none" else None,
                    initialization_method="known",
                    **options,
                )
                # Not by fit().forecast(): of a damped factor that goes on from another initial trend than was given.
                fit = model._predict(
                    h=8, smoothing_level=alpha, smoothing_trend=fixed.get("smoothing_trend"),
                    smoothing_seasonal=fixed.get("smoothing_seasonal"), damping_trend=phi if damped else None,
                    initial_level=level, initial_trend=slope if trend != "none" else 0,
                    initial_seasons=season if seasonal != "none" else numpy.array([]),
                    use_boxcox=False, is_optimized=numpy.zeros(6 + (m if seasonal != "none" else 0), dtype=bool),
                )
                case = {
                    "name": f"trend {trend}{' damped' if damped else ''}, season {seasonal}, {'known' if known else 'own'} beginning",
                    "config": {
                        "alpha": alpha, "beta": beta, "gamma": gamma, "trend": trend, "seasonal": seasonal,
                        "seasonalPeriods": m, **({"dampingTrend": phi} if damped else {}),
                        **({"initialLevel": level, "initialTrend": slope if trend != "none" else 0,
                            "initialSeasonal": list(map(float, season)) if seasonal != "none" else []} if known else {}),
                    },
                    "values": list(map(float, y)),
                    "forecast": list(map(float, fit.fcastvalues[:8])),
                }
                cases.append(case)
json.dump({"maker": f"make.py with statsmodels {statsmodels.__version__}", "cases": cases}, open("holt-winters.json", "w"), indent=1)

lines = []
for count in (2, 3, 6, 30):
    times = numpy.sort(chance.choice(numpy.arange(0, 900, 5), count, replace=False)).astype(float)
    times[-1] = 900.0
    y = numpy.round(chance.normal(300, 60, count) + 0.3 * times, 3)
    ahead = 60.0
    fit = sm.OLS(y, sm.add_constant(times)).fit()
    lines.append({
        "secondsAgo": list(map(float, 900.0 - times)), "values": list(map(float, y)), "lookAheadSeconds": ahead,
        "forecast": float(fit.predict([[1.0, 900.0 + ahead]])[0]),
    })
json.dump({"maker": f"make.py with statsmodels {statsmodels.__version__}", "cases": lines}, open("linear.json", "w"), indent=1)
