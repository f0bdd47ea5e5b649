#!/usr/bin/python3
"""The tables of evaluate.sh: how well remaining life is foretold, and by what else.

  evaluate.py MODEL-DIR TRAINING-STREAM EVALUATION-STREAM [WARM-UP-DAYS]

The training stream has features, truth and the twin's estimates; the evaluation stream,
of another seed, the learned and fused ones as well. Rows are looked at every ten days,
and only after the warm-up: a fleet that has been watched for a year has had its tests.
"""
import json
import sys

import msgpack
import numpy as np
import xgboost
from sklearn.ensemble import RandomForestRegressor

DAY = 86400000
STEP = 10  # days between rows
FLOOR = 7.0  # lives shorter than this are one class
TRUTH = ["soh_pct", "resistance_mohm", "rate_class", "cause"]
CAUSES = ["none", "wear", "dry-out", "corrosion", "sulfation", "internal short", "open circuit", "runaway"]
SOURCES = {0: "ml", 1: "twin", 2: "fused"}
TEMPERATURE = ("t_", "hours_above_", "arrhenius_", "season_")


def read(path, window):
    """The rows of a stream: {(battery, unit, day): {kind: {field: value}}}."""
    names, fields, rows = {}, {}, {}
    with open(path, "rb") as f:
        for r in msgpack.Unpacker(f, raw=False, max_buffer_size=1 << 30):
            if r[0] == 0:
                names[r[1]], fields[r[1]] = r[2], [x[0] for x in r[4]]
                continue
            kind = names.get(r[0])
            if kind not in ("feature", "truth", "twin_state", "rul"):
                continue
            day = (r[1] + DAY // 2) // DAY
            if day % STEP:
                continue
            v = dict(zip(fields[r[0]], r[1:]))
            if kind == "feature" and v["window_h"] != window:
                continue
            if kind == "rul":
                kind = SOURCES.get(v["source"], "?") if isinstance(v["source"], int) else v["source"]
            rows.setdefault((r[2], v["unit"] or 0, day), {})[kind] = v
    return rows


def table(rows, from_day, names):
    """Arrays of the rows that have a truth and features, not past their end."""
    keys = [k for k, v in rows.items() if "truth" in v and "feature" in v and k[2] >= from_day
            and not v["truth"]["censored"] and (v["truth"]["rul_days"] or 0) > 0]
    keys.sort()

    def column(kind, field):
        got = (rows[k].get(kind, {}).get(field) for k in keys)
        return np.array([np.nan if x is None else float(x) for x in got])

    def feature(n):
        if n.startswith("twin_"):
            return column("twin", n[5:])
        return column("feature", n)

    t = {"key": keys, "rul": column("truth", "rul_days"), "age": column("feature", "age_days"),
         "site": np.array([k[0][:9] for k in keys]), "unit": np.array(["%s %d" % k[:2] for k in keys]),
         "cause": column("truth", "cause"), "x": np.column_stack([feature(n) for n in names]),
         "truth": np.column_stack([column("truth", n) for n in TRUTH])}
    for s in SOURCES.values():
        t[s] = column(s, "rul_days")
        t[s + " low"], t[s + " high"] = column(s, "lower_days"), column(s, "upper_days")
    soh, new, age = column("twin_state", "soh_pct"), column("feature", "initial_capacity_pct"), t["age"]
    with np.errstate(divide="ignore", invalid="ignore"):
        t["line"] = np.where(new - soh > 0.1, age * (soh - 80) / (new - soh), 3650.0).clip(0, 3650)
    return t


def concordance(p, t):
    """Share of pairs in the right order, of one row a battery (by a fixed draw)."""
    d, e = t[:, None] < t[None, :], p[:, None] - p[None, :]
    return ((e < 0) & d).sum() / d.sum() + 0.5 * ((e == 0) & d).sum() / d.sum()


def one_each(t, within):
    draw = np.random.RandomState(1)
    order = draw.permutation(np.flatnonzero(within))
    _, first = np.unique(t["unit"][order], return_index=True)
    return order[first][:6000]


def figures(t, p, within):
    p, y = p[within], t["rul"][within]
    e = np.abs(p - y)
    life = t["age"][within] / (t["age"][within] + y)
    half = np.abs(life - 0.5) < 0.05
    rel = e / np.maximum(y, 1)
    pick = np.isin(np.flatnonzero(within), one_each(t, within))
    return {"n": len(y), "mae": e.mean(), "rmse": np.sqrt((e ** 2).mean()),
            "r2": 1 - (e ** 2).sum() / ((y - y.mean()) ** 2).sum(), "rel": np.median(rel),
            "c": concordance(p[pick], y[pick]), "half": np.median(rel[half]) if half.any() else np.nan,
            "al": (rel[half] <= 0.2).mean() if half.any() else np.nan}


def coverage(t, s, within):
    """Batteries weigh alike; their number gives the binomial error."""
    ok = within & np.isfinite(t[s + " low"])
    if not ok.any():
        return np.nan, np.nan, np.nan, 0
    inside = (t[s + " low"][ok] <= t["rul"][ok]) & (t["rul"][ok] <= t[s + " high"][ok])
    _, unit = np.unique(t["unit"][ok], return_inverse=True)
    each = np.bincount(unit, inside) / np.bincount(unit)
    width = (t[s + " high"] - t[s + " low"])[ok].mean()
    return each.mean(), np.sqrt(0.09 / len(each)), width, len(each)


def weibull(model, age):
    w = model["evaluation"]["age_only_weibull"]
    k, scale = w["shape"], w["scale_days"]
    return scale * ((age / scale) ** k + np.log(2)) ** (1 / k) - age


def boosted(model, x, y):
    """The model's own objective and hyperparameters, on other columns."""
    h = model["training"]["hyperparameters"]
    d = xgboost.DMatrix(x)
    d.set_float_info("label_lower_bound", np.where(y < FLOOR, 0, y))
    d.set_float_info("label_upper_bound", np.maximum(y, FLOOR))
    p = {"objective": "survival:aft", "eval_metric": "aft-nloglik", "aft_loss_distribution": "normal",
         "aft_loss_distribution_scale": h["scale"], "max_depth": h["depth"], "eta": h["eta"],
         "min_child_weight": h["min_rows"], "subsample": 0.8, "colsample_bytree": h["columns"],
         "tree_method": "hist", "base_score": h["base_days"], "seed": 1, "nthread": 2}
    return xgboost.train(p, d, model["training"]["rounds"], verbose_eval=False)


def forest(a, b):
    middle = np.nanmedian(a["x"], axis=0)
    middle = np.where(np.isfinite(middle), middle, 0)
    fill = lambda x: np.where(np.isfinite(x), x, middle)
    f = RandomForestRegressor(100, min_samples_leaf=20, max_features=0.4, n_jobs=2, random_state=1)
    f.fit(fill(a["x"]), np.log(np.maximum(a["rul"], FLOOR)))
    return np.exp(f.predict(fill(b["x"])))


def rivals(model, names, a, b):
    cool = [i for i, n in enumerate(names) if not n.startswith(TEMPERATURE)]
    fit = lambda f: boosted(model, f(a), a["rul"]).predict(xgboost.DMatrix(f(b)))
    with_truth = lambda t: np.column_stack([t["x"], t["truth"]])
    return [("learned (ml)", b["ml"]), ("fused, default", b["fused"]),
            ("fused 60/40", 0.6 * b["ml"] + 0.4 * b["twin"]), ("twin alone", b["twin"]),
            ("straight line of SOH", b["line"]), ("random forest", forest(a, b)),
            ("age-only Weibull", weibull(model, b["age"])),
            ("noise floor: given true SOH, resistance, rate class, cause", fit(with_truth)),
            ("refitted, all features", fit(lambda t: t["x"])),
            ("refitted, no temperature", fit(lambda t: t["x"][:, cool]))]


def main():
    model = json.load(open(sys.argv[1] + "/model.json"))
    names = [f["name"] for f in model["features"]]
    warm = int(sys.argv[4]) if len(sys.argv) > 4 else 365
    train, seen = read(sys.argv[2], model["window_h"]), read(sys.argv[3], model["window_h"])
    a = table(train, 0, names)
    b = table(seen, min(k[2] for k in seen) + warm, names)
    everywhere = np.isfinite(b["ml"]) & np.isfinite(b["twin"]) & np.isfinite(b["line"])
    y = b["rul"]
    horizons = [("all", everywhere), ("under 90 d", everywhere & (y < 90)),
                ("90 to 365 d", everywhere & (y >= 90) & (y < 365)), ("under a year", everywhere & (y < 365)),
                ("over a year", everywhere & (y >= 365))]
    opinions = rivals(model, names, a, b)
    age_only = dict(opinions)["age-only Weibull"]
    print("| by | MAE, d | RMSE, d | R2 | median relative error | the same halfway through life | alpha-lambda (20 %, halfway) "
          "| concordance | skill against age |\n|---|---|---|---|---|---|---|---|---|")
    base = figures(b, age_only, everywhere)["mae"]
    for name, p in opinions:
        f = figures(b, p, everywhere)
        print("| %s | %.0f | %.0f | %.2f | %.0f %% | %.0f %% | %.0f %% | %.3f | %.0f %% |" % (
            name, f["mae"], f["rmse"], f["r2"], 100 * f["rel"], 100 * f["half"], 100 * f["al"], f["c"],
            100 * (1 - f["mae"] / base)))
    print("\nMean absolute error in days by what truly remains (rows: %s):\n" % ", ".join(
        "%s %d" % (n, w.sum()) for n, w in horizons))
    print("| by | " + " | ".join(n for n, _ in horizons) + " |\n|---|" + "---|" * len(horizons))
    for name, p in opinions:
        print("| %s | " % name + " | ".join("%.0f" % np.abs(p - y)[w].mean() if w.any() else "" for _, w in horizons) + " |")
    groups = [(n, w) for n, w in horizons]
    groups += [(s, everywhere & (b["site"] == s)) for s in sorted(set(b["site"]))][:9]
    groups += [(n, everywhere & (b["cause"] == i)) for i, n in enumerate(CAUSES)]
    print("\n| rows of | rows | MAE, learned | MAE, fused | 90 % interval, learned, holds | batteries | its mean width, d |"
          "\n|---|---|---|---|---|---|---|")
    for name, w in groups:
        if w.any():
            c, err, width, n = coverage(b, "ml", w)
            print("| %s | %d | %.0f | %.0f | %.1f +- %.1f %% | %d | %.0f |" % (
                name, w.sum(), np.abs(b["ml"] - y)[w].mean(), np.abs(b["fused"] - y)[w].mean(), 100 * c, 100 * err, n, width))


main()
