#!/usr/bin/python3
"""The tables of evaluate.sh: how well remaining life is foretold, and by what else.

  evaluate.py MODEL-DIR TRAINING-STREAM WARM-UP-DAYS <EVALUATION-STREAMS

The training stream has features, truth and the twin's estimates; the evaluation streams,
one fleet after the other, the learned and fused ones as well. Rows are looked at every
ten days, and but for the last table only after the warm-up: a fleet that has been watched
for a year has had its tests. What is kept of a stream are the numbers of the rows looked
at.
"""
import json
import sys
from array import array

import msgpack
import numpy as np
import xgboost
from sklearn.ensemble import RandomForestRegressor

DAY = 86400000
STEP = 10  # days between rows
FLOOR = 7.0  # lives shorter than this are one class
TRUTH = ["soh_pct", "resistance_mohm", "rate_class", "cause"]
CAUSES = ["none", "wear", "dry-out", "corrosion", "sulfation", "internal short", "open circuit", "runaway"]
SUDDEN = (5, 6)
SOURCES = {0: "ml", 1: "twin", 2: "fused"}
TEMPERATURE = ("t_", "hours_above_", "arrhenius_", "season_")


def wanted(names):
    """The columns of the table: (kind, field)."""
    cols = [("feature", n) if not n.startswith("twin_") else
            ("twin", n[5:]) if n.endswith("_days") else ("twin_state", n[5:]) for n in names]
    cols += [("truth", f) for f in TRUTH + ["rul_days", "censored"]]
    cols += [("feature", "age_days"), ("feature", "initial_capacity_pct"), ("twin_state", "soh_pct")]
    return cols + [(s, f) for s in SOURCES.values() for f in ("rul_days", "lower_days", "upper_days")]


class Fleet:
    """The rows of one stream: {(battery, unit, days under watch): numbers}."""

    def __init__(self, window, cols):
        self.window, self.cols = window, cols
        self.names, self.fields, self.places, self.rows, self.first = {}, {}, {}, {}, None

    def place(self, kind, at):
        if (kind, at) not in self.places:
            name = self.fields[kind]
            self.places[kind, at] = [(i, 1 + name.index(f)) for i, (k, f) in enumerate(self.cols) if k == at]
        return self.places[kind, at]

    def take(self, r):
        if r[0] == 0:
            self.names[r[1]], self.fields[r[1]] = r[2], [x[0] for x in r[4]]
            return
        kind = self.names.get(r[0])
        if kind not in ("feature", "truth", "twin_state", "rul"):
            return
        day, name = (r[1] + DAY // 2) // DAY, self.fields[r[0]]
        self.first = day if self.first is None else self.first
        if day % STEP:
            return
        if kind == "feature" and r[1 + name.index("window_h")] != self.window:
            return
        if kind == "rul":
            kind = SOURCES[r[1 + name.index("source")]]
        key = (r[2], r[1 + name.index("unit")] or 0, day - self.first)
        row = self.rows.setdefault(key, array("f", [np.nan] * len(self.cols)))
        for i, j in self.place(r[0], kind):
            row[i] = np.nan if j >= len(r) or r[j] is None else float(r[j])


def read(f, window, cols):
    """The fleets of a file of one or more whole streams."""
    fleet = None
    for r in msgpack.Unpacker(f, raw=False, max_buffer_size=1 << 30):
        if r[0] == 126:
            if fleet:
                break
            fleet = Fleet(window, cols)
        elif r[0] == 127:
            yield fleet.rows
            fleet = None
        else:
            fleet.take(r)
    if fleet:
        sys.exit("evaluate: a stream is cut off")


def table(f, window, names):
    """Arrays of the rows that have a truth and features, not past their end."""
    cols = wanted(names)
    place = {c: i for i, c in enumerate(cols)}
    keys, parts = [], []
    for n, rows in enumerate(read(f, window, cols)):
        kept = sorted(k for k, v in rows.items() if np.isfinite(v[place["feature", "age_days"]])
                      and v[place["truth", "censored"]] == 0 and v[place["truth", "rul_days"]] > 0)
        keys += [(n, *k) for k in kept]
        parts.append(np.array([rows[k] for k in kept], dtype=np.float32))
    x = np.concatenate(parts)
    column = lambda kind, field: x[:, place[kind, field]].astype(float)
    t = {"rul": column("truth", "rul_days"), "age": column("feature", "age_days"),
         "site": np.array([k[1][:9] for k in keys]), "fleet site": np.array(["%d %s" % (k[0], k[1][:9]) for k in keys]),
         "unit": np.array(["%d %s %d" % k[:3] for k in keys]), "watched": np.array([k[3] for k in keys]),
         "cause": column("truth", "cause"), "x": x[:, :len(names)],
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
    """Share held, its error were batteries independent, and as sites have it, of which all
    batteries share an ageing rate; mean width, batteries. Batteries weigh alike, whatever
    the number of their rows."""
    ok = within & np.isfinite(t[s + " low"])
    if not ok.any():
        return np.nan, np.nan, np.nan, np.nan, 0
    inside = (t[s + " low"][ok] <= t["rul"][ok]) & (t["rul"][ok] <= t[s + " high"][ok])
    _, first, unit = np.unique(t["unit"][ok], return_index=True, return_inverse=True)
    each = np.bincount(unit, inside) / np.bincount(unit)
    _, site = np.unique(t["fleet site"][ok][first], return_inverse=True)
    sums, n = np.bincount(site, each - each.mean()), len(each)
    sites = np.sqrt((sums ** 2).sum() * len(sums) / (len(sums) - 1)) / n if len(sums) > 1 else np.nan
    width = (t[s + " high"] - t[s + " low"])[ok].mean()
    return each.mean(), np.sqrt(0.09 / n), sites, width, n


def spread_of_sites(t, s, within):
    """Standard deviation of the share held from site to site, and what chance makes of it."""
    shares = [coverage(t, s, within & (t["fleet site"] == k)) for k in np.unique(t["fleet site"])]
    return len(shares), np.std([c[0] for c in shares], ddof=1), np.sqrt(np.mean([c[1] ** 2 for c in shares]))


def weibull(model, age):
    w = model["evaluation"]["age_only_weibull"]
    k, scale = w["shape"], w["scale_days"]
    return scale * ((age / scale) ** k + np.log(2)) ** (1 / k) - age


def begin(model, x):
    """Where the trees begin: at what the twin foretells, if it does."""
    names = [f["name"] for f in model["features"]]
    at, usual = model["start"]["feature"], model["start"]["days"]
    days = x[:, names.index(at)].astype(float) if at else np.full(len(x), np.nan)
    return np.where(np.isnan(days), usual, np.maximum(days, FLOOR))


def boosted(model, a, b, columns):
    """The model's own objective and hyperparameters, on other columns of rows a, for rows b."""
    h = model["training"]["hyperparameters"]
    d, y, start = xgboost.DMatrix(columns(a)), a["rul"], begin(model, a["x"])
    d.set_float_info("label_lower_bound", np.where(y < FLOOR, 0, y / start))
    d.set_float_info("label_upper_bound", np.maximum(y, FLOOR) / start)
    p = {"objective": "survival:aft", "eval_metric": "aft-nloglik", "aft_loss_distribution": "normal",
         "aft_loss_distribution_scale": h["scale"], "max_depth": h["depth"], "eta": h["eta"],
         "min_child_weight": h["min_rows"], "subsample": 0.8, "colsample_bytree": h["columns"],
         "tree_method": "hist", "base_score": 1, "seed": 1, "nthread": 2}
    trees = xgboost.train(p, d, model["training"]["rounds"], verbose_eval=False)
    return trees.predict(xgboost.DMatrix(columns(b))) * begin(model, b["x"])


def forest(a, b):
    middle = np.nanmedian(a["x"], axis=0)
    middle = np.where(np.isfinite(middle), middle, 0)
    fill = lambda x: np.where(np.isfinite(x), x, middle)
    f = RandomForestRegressor(100, min_samples_leaf=20, max_features=0.4, n_jobs=2, random_state=1)
    f.fit(fill(a["x"]), np.log(np.maximum(a["rul"], FLOOR)))
    return np.exp(f.predict(fill(b["x"])))


def unannounced(t):
    """The truth, but of a sudden end no word: its cause is drawn from those of wear."""
    draw = np.random.RandomState(1)
    cause = t["truth"][:, -1]
    sudden = np.isin(cause, SUDDEN)
    other = draw.choice(cause[~sudden], len(cause))
    return np.column_stack([t["truth"][:, :-1], np.where(sudden, other, cause)])


def rivals(model, names, a, b):
    cool = [i for i, n in enumerate(names) if not n.startswith(TEMPERATURE)]
    fit = lambda columns: boosted(model, a, b, columns)
    return [("learned (ml)", b["ml"]), ("fused, default", b["fused"]),
            ("fused 60/40", 0.6 * b["ml"] + 0.4 * b["twin"]), ("twin alone", b["twin"]),
            ("straight line of SOH", b["line"]), ("random forest", forest(a, b)),
            ("age-only Weibull", weibull(model, b["age"])),
            ("noise floor: given true SOH, resistance, rate class, cause",
             fit(lambda t: np.column_stack([t["x"], t["truth"]]))),
            ("the same, sudden ends not foretold", fit(lambda t: np.column_stack([t["x"], unannounced(t)]))),
            ("refitted, all features", fit(lambda t: t["x"])),
            ("refitted, no temperature", fit(lambda t: t["x"][:, cool]))]


def coverages(t, groups):
    print("| rows of | rows | MAE, learned | MAE, fused | batteries | 90 % interval, learned, holds +- binomial (by site) "
          "| its mean width, d | fused, holds | its mean width, d |\n|---|---|---|---|---|---|---|---|---|")
    for name, w in groups:
        if w.any():
            c, chance, sites, width, n = coverage(t, "ml", w)
            fused, _, _, wide, _ = coverage(t, "fused", w)
            error = lambda s: np.nanmean(np.abs(t[s] - t["rul"])[w])
            print("| %s | %d | %.0f | %.0f | %d | %.1f +- %.1f (%s) %% | %.0f | %.1f %% | %.0f |" % (
                name, w.sum(), error("ml"), error("fused"), n, 100 * c, 100 * chance,
                "%.1f" % (100 * sites) if np.isfinite(sites) else "one", width, 100 * fused, wide))


def main():
    model = json.load(open(sys.argv[1] + "/model.json"))
    names = [f["name"] for f in model["features"]]
    with open(sys.argv[2], "rb") as f:
        a = table(f, model["window_h"], names)
    always, warm = table(sys.stdin.buffer, model["window_h"], names), int(sys.argv[3])
    b = {k: v[always["watched"] >= warm] for k, v in always.items()}
    everywhere = np.isfinite(b["ml"]) & np.isfinite(b["twin"]) & np.isfinite(b["line"])
    y, sudden = b["rul"], np.isin(b["cause"], SUDDEN)
    horizons = [("all", everywhere), ("under 90 d", everywhere & (y < 90)),
                ("90 to 365 d", everywhere & (y >= 90) & (y < 365)), ("under a year", everywhere & (y < 365)),
                ("over a year", everywhere & (y >= 365)), ("under a year, worn out", everywhere & (y < 365) & ~sudden)]
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
    print()
    coverages(b, groups)
    n, got, chance = spread_of_sites(b, "ml", everywhere)
    print("\nFrom site to site (%d of them, each of its own draw) the share held varies by %.1f %%; chance alone "
          "makes %.1f %%." % (n, 100 * got, 100 * chance))
    print("\nBy days under watch, all of them:\n")
    days = always["watched"]
    coverages(always, [("%d to %d d" % (d, d + 90), np.isfinite(always["ml"]) & (days >= d) & (days < d + 90))
                       for d in range(0, int(days.max()) + 1, 90)])


main()
