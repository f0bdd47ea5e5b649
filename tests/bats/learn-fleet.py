#!/usr/bin/python3
"""A small fleet with a known law of life, as NDJSON for encode: daily features, truth and
the twin's estimates (and states).  learn-fleet.py BATTERIES DAYS SEED [KIND,...]"""
import json
import math
import random
import sys

batteries, days, seed = (int(a) for a in sys.argv[1:4])
kinds = set((sys.argv[4] if len(sys.argv) > 4 else "feature,truth,rul").split(","))
rng = random.Random(seed)
START = 1767225600000  # 2026-01-01
DAY = 86400000


def put(kind, **fields):
    if kind in kinds:
        print(json.dumps({"kind": kind, **fields}))


class Battery:
    def __init__(self, i):
        self.code = f"DC-S{i % 6}-UPS-01-S{1 + i // 6 % 4}-J{i // 24:02d}"
        self.t = 22 + 16 * rng.random()
        self.r = 100 + 40 * rng.random()
        log = 8 - 0.06 * (self.t - 25) - 0.02 * (self.r - 100) + 0.1 * rng.gauss(0, 1)
        self.life = math.exp(log)
        self.age = 0.8 * rng.random() * self.life


fleet = [Battery(i) for i in range(batteries)]
for day in range(days):
    ts = START + day * DAY
    for b in fleet:
        rul = b.life - b.age - day
        if rul <= 0:
            continue
        put("truth", ts=ts, battery=b.code, unit=0, soh_pct=90, rul_days=rul, censored=False)
        put("feature", ts=ts, battery=b.code, unit=0, window_h=24, count=1440, coverage=1.0,
            v_mean_v=round(13.6 + 0.02 * rng.gauss(0, 1), 3), t_mean_c=round(b.t, 2),
            r_baseline_pct=round(b.r, 2), i_mean_a=0.05, age_days=round(b.age + day, 2))
        twin = rul * math.exp(0.1 * rng.gauss(0, 1))
        put("rul", ts=ts, battery=b.code, unit=0, source="twin", rul_days=twin,
            lower_days=twin * 0.7, upper_days=twin * 1.4, p_fail_30d=0.01,
            p_fail_90d=0.05, confidence=0.6)
        put("twin_state", ts=ts, battery=b.code, unit=0, soh_pct=80 + 20 * rul / b.life, soh_std_pct=1.5)
