#!/usr/bin/python3
"""What a database should hold, found without the program under test.

store_oracle.py records N         NDJSON: N records of every kind that is stored, with
                                  keys that repeat and values that are missing
store_oracle.py expect FILE       the rows that the NDJSON of FILE should leave
store_oracle.py dump URL          the rows a database has (sqlite:PATH or postgresql:...)

Rows are printed alike by expect and dump: table, then column=value, in order.
"""
import csv
import io
import json
import os
import random
import re
import sqlite3
import struct
import subprocess
import sys

DEF = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../schemas/records.def")
TABLES = {"system": "battery_system", "rul": "rul_prediction", "impedance": "impedance_measurement"}
KEYS = {
    "site": "code", "battery_model": "name", "system": "code", "string": "code",
    "battery": "code", "sensor": "code", "telemetry": "battery ts",
    "string_telemetry": "string ts", "environment": "sensor ts", "truth": "battery ts unit",
    "feature": "battery ts window_h unit", "twin_state": "battery ts unit",
    "rul": "battery ts source unit", "event": "event_id", "capacity_test": "subject ts",
    "impedance": "battery ts", "maintenance_window": "id", "work_order": "id",
    "alert": "alert_id", "incident": "incident_id",
    "alert_action": "subject_id ts action actor", "status": "subject ts",
}
MASTERS = {"site": "site", "system": "system", "string": "string", "battery": "battery", "sensor": "sensor"}


def definitions():
    words, kinds = {}, {}
    for line in open(DEF, encoding="utf-8"):
        for s, w in re.findall(r"NAME\((\w+), (\w+)\)", line):
            words.setdefault(s, []).append(w)
        m = re.match(r'\s*FIELD\((\w+), (\w+), (\w+), "[^"]*", (\w+), (\w+)', line)
        if m:
            kinds.setdefault(m[1], []).append((m[2], m[3], m[4], m[5] == "NEED"))
    return words, kinds


WORDS, KINDS = definitions()


def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def iso(ms):
    days, ms = divmod(ms, 86400000)
    import datetime
    d = datetime.date(1970, 1, 1) + datetime.timedelta(days)
    return "%sT%02d:%02d:%02d.%03dZ" % (d, ms // 3600000, ms // 60000 % 60, ms // 1000 % 60, ms % 1000)


# ---- records

CODE_VALUES = {
    "site": ["DC-CNX-01", "DC-BKK-02"],
    "system": ["DC-CNX-01-UPS-01", "DC-BKK-02-REC-01"],
    "string": ["DC-CNX-01-UPS-01-S1", "DC-CNX-01-UPS-01-S10", "DC-BKK-02-REC-01-S1"],
    "battery": ["DC-CNX-01-UPS-01-S1-J%02d" % j for j in range(1, 8)],
    "sensor": ["DC-CNX-01-T1", "DC-CNX-01-T2"],
}
TEXTS = ["", "plain", "it's \"quoted\", with \\ and ; --", "ไทย ° µ 🔋", "two\nlines\tand a tab"]


def value(rng, kind, name, typ, names):
    own = {"site": "site", "system": "system", "string": "string", "battery": "battery", "sensor": "sensor"}
    if typ == "CODE":
        if name == "code":
            return rng.choice(CODE_VALUES[own[kind]])
        if name in CODE_VALUES:
            return rng.choice(CODE_VALUES[name])
        return "%s-%d" % (name, rng.randrange(20))
    if typ == "TIME":
        # three months, and now and then a clock far off
        far = rng.random() < 0.02
        return iso(rng.choice([0, 4294967296000]) if far else 1782864000000 + rng.randrange(90) * 86400000 + rng.randrange(4) * 60000)
    if typ in ("INT", "LONG"):
        return rng.choice([0, 1, 2, 3, 24, 2147483647 if name != "unit" else 4, -5])
    if typ == "F32":
        return rng.choice([0, -0.5, 13.65, rng.gauss(0, 1), rng.gauss(0, 1e6), 1e-6, 12])
    if typ == "F64":
        return rng.choice([0, rng.gauss(0, 1), 1e300, -3.25])
    if typ == "BOOL":
        return rng.random() < 0.5
    if typ == "ENUM":
        return rng.choice(WORDS[names])
    if typ == "BITS":
        return [w for w in WORDS[names] if rng.random() < 0.3]
    if typ == "PAIRS":
        return [[rng.choice(TEXTS[1:4]), f32(rng.gauss(0, 30))] for _ in range(rng.randrange(4))]
    if typ == "STRS":
        return [rng.choice(TEXTS) for _ in range(rng.randrange(4))]
    return rng.choice(TEXTS)


def records(n):
    rng = random.Random(1)
    for i in range(n):
        for kind in KEYS:
            r = {"kind": kind}
            for name, typ, names, need in KINDS[kind]:
                if need or rng.random() < 0.8:
                    r[name] = value(rng, kind, name, typ, names)
                    if need and r[name] == "":
                        r[name] = "needed"
            print(json.dumps(r, ensure_ascii=False))


# ---- the rows they should leave

def ms(text):
    m = re.match(r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(?:\.(\d+))?Z", text)
    import datetime
    days = (datetime.date(*map(int, m.groups()[:3])) - datetime.date(1970, 1, 1)).days
    h, mi, s = map(int, m.groups()[3:6])
    return ((days * 24 + h) * 60 + mi) * 60000 + s * 1000 + int((m[7] or "0").ljust(3, "0"))


def cell(typ, names, v):
    if v is None:
        return None
    if typ == "TIME":
        return ms(v)
    if typ == "F32":
        return f32(v)
    if typ == "BITS":
        return sum(1 << WORDS[names].index(w) for w in v)
    if typ in ("PAIRS", "STRS"):
        return normal_json(v)
    return v


def normal_json(v):
    return json.dumps([[a, f32(b)] if isinstance(b, float) or isinstance(b, int) else [a, b] for a, b in v]
                      if v and isinstance(v[0], list) else v, ensure_ascii=False)


def expect(path):
    tables = {k: {} for k in KEYS}
    seen = {k: set() for k in MASTERS}
    for line in open(path, encoding="utf-8"):
        r = json.loads(line)
        kind = r["kind"]
        row = {"run": ""}
        for name, typ, names, _ in KINDS[kind]:
            row[name] = cell(typ, names, r.get(name))
            if typ == "CODE" and name in MASTERS and row[name] is not None:
                seen[name].add(row[name])
        for k in KEYS[kind].split():
            if row[k] is None:
                row[k] = 0
        key = tuple(row[k] for k in KEYS[kind].split())
        old = tables[kind].get(key)
        if old and kind == "alert_action":
            continue
        if old and kind in ("alert", "incident") and row["ts"] < old["ts"]:
            continue
        tables[kind][key] = row
    for kind, codes in seen.items():
        for code in codes:
            tables[kind].setdefault((code,), {"run": "", "code": code})
    rows = []
    for kind, t in tables.items():
        for row in t.values():
            cols = ["run"] + [f[0] for f in KINDS[kind]]
            rows.append(show(TABLES.get(kind, kind), [(c, row.get(c)) for c in cols]))
    return rows + newest(tables) + rollups(tables["telemetry"].values())


def newest(tables):
    rows = []
    for kind, name, key in (("telemetry", "telemetry_latest", ["battery"]), ("twin_state", "twin_state_latest", ["battery"]),
                            ("rul", "rul_latest", ["battery", "source"]), ("status", "status_latest", ["subject"])):
        last = {}
        for row in tables[kind].values():
            k = tuple(row[c] for c in key)
            if k not in last or (last[k]["ts"], last[k].get("unit")) < (row["ts"], row.get("unit")):
                last[k] = row
        cols = ["run"] + [f[0] for f in KINDS[kind]]
        rows += [show(name, [(c, row.get(c)) for c in cols]) for row in last.values()]
    return rows


def millionths(x):
    """Of the number as it was written: seven digits are what a float holds."""
    from decimal import Decimal, ROUND_HALF_UP
    x = max(-1e7, min(1e7, float(next(t for t in ("%.*g" % (n, x) for n in range(1, 18)) if f32(float(t)) == x))))
    return int((Decimal(repr(x)) * 1000000).quantize(Decimal(1), ROUND_HALF_UP))


def rollups(samples):
    rows = []
    for name, step in (("15min", 900000), ("hour", 3600000), ("day", 86400000)):
        groups = {}
        for row in samples:
            groups.setdefault((row["battery"], row["ts"] // step * step), []).append(row)
        for (battery, ts), group in groups.items():
            group.sort(key=lambda r: r["ts"])
            last = lambda c: next((r[c] for r in reversed(group) if r[c] is not None), None)
            cells = [("run", ""), ("ts", ts), ("battery", battery), ("last_ts", group[-1]["ts"]), ("count", len(group)), ("mode", last("mode"))]
            for q, u in (("voltage", "v"), ("current", "a"), ("temperature", "c"), ("resistance", "mohm")):
                c = q + "_" + u
                v = [r[c] for r in group if r[c] is not None]
                cells += [(q + "_n", len(v)), ("%s_min_%s" % (q, u), min(v, default=None)), ("%s_max_%s" % (q, u), max(v, default=None)),
                          (q + "_sum", sum(map(millionths, v))), (c, last(c))]
            rows.append(show("telemetry_" + name, cells))
    return rows


# ---- the rows there are

def show(table, cells):
    def text(v):
        if v is None:
            return "~"
        if isinstance(v, bool):
            return str(int(v))
        if isinstance(v, float):
            return "%.17g" % v
        return json.dumps(v, ensure_ascii=False) if isinstance(v, str) else str(v)
    return table + " " + " ".join("%s=%s" % (c, text(v)) for c, v in cells)


def typed(decl, kind, name, v):
    if v is None:
        return None
    if decl == "real":
        return f32(float(v))
    if decl == "double precision":
        return float(v)
    if decl == "boolean":
        return v in (1, "t", "1", True)
    if decl in ("integer", "bigint"):
        return int(v)
    if name in ("factors", "reasons"):
        return normal_json(json.loads(v))
    return v


def sqlite_tables(path):
    db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    for (t,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'").fetchall():
        columns = [(r[1], r[2].lower()) for r in db.execute("PRAGMA table_info(%s)" % t)]
        yield t, columns, db.execute("SELECT * FROM %s" % t).fetchall()


def psql(url, script):
    return subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-f", "-", url], check=True,
                          input=script.encode(), stdout=subprocess.PIPE).stdout.decode()


def postgres_tables(url):
    """Two connections in all: to connect takes longer than to ask."""
    tables = {}
    for line in psql(url, "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_class c "
                     "JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition "
                     "AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped "
                     "ORDER BY c.relname, a.attnum").splitlines():
        t, column, decl = line.split("|")
        tables.setdefault(t, []).append((column, decl))
    mark = "-- end of a table --"
    text = psql(url, "".join("COPY (SELECT * FROM %s) TO STDOUT CSV NULL '\\N';\n\\echo '%s'\n" % (t, mark) for t in tables))
    for (t, columns), rows in zip(tables.items(), text.split(mark + "\n")):
        yield t, columns, [[None if v == "\\N" else v for v in r] for r in csv.reader(io.StringIO(rows, newline=""))]


def dump(url):
    tables = sqlite_tables(url[7:]) if url.startswith("sqlite:") else postgres_tables(url)
    tables = {t: (columns, rows) for t, columns, rows in tables if t != "schema_migrations"}
    ids = {}
    for entity, t in [("run", "run")] + [(k, TABLES.get(k, k)) for k in MASTERS]:
        names = [c for c, _ in tables[t][0]]
        i, c = names.index("id"), names.index("name" if t == "run" else "code")
        ids[entity] = {int(r[i]): r[c] for r in tables[t][1]}
    out = []
    for t, (columns, rows) in tables.items():
        if t == "run":
            continue
        for r in rows:
            cells = []
            for (c, decl), v in zip(columns, r):
                if c == "id" and t in [TABLES.get(k, k) for k in MASTERS]:
                    continue
                if c == "created_by":  # no record says it: bridge writes it down
                    assert v is None
                    continue
                v = typed(decl, t, c, v)
                if c in ids and decl == "integer" and v is not None:
                    v = ids[c][v]
                cells.append((c, v))
            out.append(show(t, cells))
    return out


if sys.argv[1] == "records":
    records(int(sys.argv[2]))
else:
    print("\n".join(sorted(expect(sys.argv[2]) if sys.argv[1] == "expect" else dump(sys.argv[2]))))
