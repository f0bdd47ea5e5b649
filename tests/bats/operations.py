"""operations.py TABLE PART [COMMAND…]: asks the bridge at $API what the part has in the
table, and what follows from openapi.json alone; fails where the answer is another. What
was seen is added to the file 'seen'. Parts:

  a name      the table's lines under 'at NAME'; a command is run after the log-ins
  roles       every operation as each role: 401, 403, or let through
  bounds      every parameter beyond what the document says of it: 422 and its name
  samples     every operation with values that the document allows: nothing undocumented
  others      paths with methods that are not theirs, and no paths: 404 and 405
  complete    nothing is asked: was every documented status seen?
"""
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.parse

API = urllib.parse.urlparse(os.environ.get("API", ""))
ACCOUNTS = {"none": "nobody", "viewer": "vera", "engineer": "emil", "admin": "anna", "device": "$device"}
LESS = {"engineer": "vera", "admin": "emil"}
# Log-ins come from an address of the part's own: an address may try ten times.
SOURCE = "127.0.1.%d" % (1 + sum(sys.argv[2].encode()) % 250)
BODY_MAX = 8 << 20  # of a device
kept, tokens, seen = {"rubbish": "rubbish"}, {"nobody": None}, set()


class Wrong(Exception):
    pass


def ask(method, path, token=None, body=None, source="127.0.0.1", length=None, **headers):
    """One call on a connection of its own. A length is announced, and nothing sent."""
    c = http.client.HTTPConnection(API.hostname, API.port, timeout=60, source_address=(source, 0))
    try:
        c.putrequest(method, API.path + path)
        if token:
            c.putheader("Authorization", "Bearer " + token)
        if body is not None:
            c.putheader("Content-Type", headers.pop("type", "application/json"))
        if "origin" in headers:
            c.putheader("Origin", headers.pop("origin"))
        assert not headers, headers
        if length is not None or body is not None:
            c.putheader("Content-Length", str(length if length is not None else len(body.encode())))
        c.endheaders()
        if body:
            c.send(body.encode())
        r = c.getresponse()
        return r.status, r.headers, r.read()
    finally:
        c.close()


def hold(n, source):
    """As many of the largest bodies, of which the last byte does not come."""
    held = []
    for _ in range(n):
        s = socket.create_connection((API.hostname, API.port), 60, (source, 0))
        s.sendall(b"POST %s/telemetry/bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n" % (API.path.encode(), BODY_MAX) + b" " * (BODY_MAX - 1))
        held.append(s)
    return held


def described():
    """The operations: {(method, path): their part of openapi.json}."""
    status, _, body = ask("GET", "/openapi.json")
    assert status == 200
    doc = json.loads(body)
    assert set(doc["components"]["schemas"]["Error"]["required"]) == {"detail"}
    return {(method.upper(), path): operation for path, methods in doc["paths"].items()
            for method, operation in methods.items()}


def statuses(operation):
    return set(map(int, operation["responses"]))


def log_in(who):
    if who not in tokens:
        body = json.dumps({"username": who, "password": who + " has a password", "token_in": "body"})
        status, _, answer = ask("POST", "/auth/login", body=body, source=SOURCE)
        assert status == 200, (who, status, answer)
        tokens[who] = json.loads(answer)["access_token"]
    return tokens[who]


def token_of(who):
    return kept[who[1:]] if who.startswith("$") else log_in(who)


def check_refusal(status, headers, body):
    """One shape for all of them, whoever refuses."""
    if headers.get_content_type() != "application/json":
        raise Wrong("a refusal that is %s" % headers.get_content_type())
    error = json.loads(body)
    if list(error) != ["detail"] or not isinstance(error["detail"], str) or not error["detail"]:
        raise Wrong("a refusal of another shape")
    if headers["Cache-Control"] != "no-store":
        raise Wrong("a refusal that may be kept")
    if status == 401 and headers["WWW-Authenticate"] != "Bearer":
        raise Wrong("401 that does not say how to log in")
    if status == 429 and not int(headers["Retry-After"]) > 0:
        raise Wrong("429 that does not say when")


def check_success(operation, status, headers, body):
    content = operation["responses"][str(status)].get("content", {})
    if status == 204:
        if body:
            raise Wrong("204 with a body")
    elif headers.get_content_type() not in content:
        raise Wrong("is %s, not %s" % (headers.get_content_type(), list(content)))
    elif "application/json" in content and not isinstance(json.loads(body), dict):
        raise Wrong("is no object")


def call(operations, key, path, who, **request):
    """Asks, and holds the answer against the document. Returns status and body."""
    operation = operations[key]
    status, headers, body = ask(key[0], path, token_of(who), **request)
    try:
        if status not in statuses(operation):
            raise Wrong("is not documented")
        if status >= 400:
            check_refusal(status, headers, body)
        else:
            check_success(operation, status, headers, body)
    except Wrong as w:
        raise Wrong("%s %s as %s %s: %d: %s: %s" % (key[0], path, who, request, status, w, body[:300]))
    seen.add("%s %s %d" % (*key, status))
    return status, body


# --- the table ---

def put_kept(text):
    return re.sub(r"\$([a-z]+)", lambda m: str(kept[m[1]]) if m[1] in kept else m[0], text)


def parse(line):
    """(method, path, status, who, id, query, options, body)"""
    m = re.search(r"\s(\{|\[|raw:)", line)
    head, body = (line[:m.start()], line[m.start() + 1:]) if m else (line, None)
    method, path, status, who, *rest = head.split()
    ident, query, options = None, "", []
    for word in rest:
        if word.startswith("?"):
            query = word
        elif "=" in word:
            options.append(word.split("=", 1))
        else:
            ident = word
    return method, path, int(status), who, ident, query, options, body and body.removeprefix("raw:")


def part_of(table, name):
    rows, here = [], False
    with open(table, encoding="utf-8") as f:
        for line in map(str.strip, f):
            if line.startswith("at "):
                here = line == "at " + name
            elif here and line and not line.startswith("#"):
                rows.append(parse(line))
    assert rows, "no part '%s'" % name
    return rows


def meant(operations, row, own):
    """The operations of a line."""
    method, path, status, who, ident, *_ = row
    if path != "*":
        if (method, path) not in operations:
            raise Wrong("there is no %s %s" % (method, path))
        return [(method, path)]
    return [k for k, o in operations.items()
            if method in ("*", k[0]) and status in statuses(o) and (*k, status) not in own
            and (ident is None or "{id}" in k[1]) and (who != "less" or o["x-role"] in LESS)]


def keep(body, what):
    name, member = what.split(":")
    value = json.loads(body)
    for step in member.split("."):
        value = value[int(step) if step.isdigit() else step]
    kept[name] = value


def run_line(operations, key, row):
    _, _, want, who, ident, query, options, body = row
    role = operations[key]["x-role"]
    who = ACCOUNTS[role] if who == "least" else LESS[role] if who == "less" else who
    path = key[1].replace("{id}", put_kept(ident or "nix")) + put_kept(query)
    request = {"source" if n == "from" else n: v for n, v in options if n not in ("keep", "tries", "held")}
    held = hold(int(dict(options).get("held", 0)), request.get("source"))
    for _ in range(int(dict(options).get("tries", 1))):
        status, answer = call(operations, key, path, who, body=body and put_kept(body), **request)
        if status == want:
            break
        time.sleep(0.1)
    else:
        raise Wrong("%s %s as %s %s %s: %d, not %d: %s" % (key[0], path, who, request, body or "", status, want, answer[:300]))
    for s in held:
        s.close()
    for name, value in options:
        if name == "keep":
            keep(answer, value)


def run_part(table, name, command):
    operations = described()
    rows = part_of(table, name)
    for who in ("vera", "emil", "anna"):
        log_in(who)
    kept["device"] = make_device()
    if command:
        subprocess.run(command, check=True)
    own = {(row[0], row[1], row[2]) for row in rows}
    for row in rows:
        for key in meant(operations, row, own):
            run_line(operations, key, row)


def make_device():
    """A device's token, for the lines that need the least who may."""
    name = "device of %s %d" % (sys.argv[2], time.time_ns())
    status, _, body = ask("POST", "/devices", log_in("anna"), json.dumps({"name": name}))
    assert status == 201, (status, body)
    return json.loads(body)["token"]


# --- what follows from the document ---

def path_of(key):
    """With something that is there, so that the refusal is not about that."""
    path = key[1]
    for start, code in (("/locations", "DC-CNX-01"), ("/systems", "DC-CNX-01-UPS-01"), ("/strings", "DC-CNX-01-UPS-01-S1"),
                        ("/batteries", "DC-CNX-01-UPS-01-S1-J07")):
        if path.startswith(start):
            return path.replace("{id}", code)
    return path.replace("{id}", "nix")


def with_body(key):
    return key[0] in ("POST", "PATCH")


def check_roles():
    """A parameter that is none is refused last: who gets 422 was let through."""
    operations = described()
    kept["device"] = make_device()
    ranks = ["none", "viewer", "engineer", "admin"]
    for key, operation in operations.items():
        role = operation["x-role"]
        for mine, who in ACCOUNTS.items():
            if role == "none":
                want = 422
            elif "device" in (role, mine):
                want = 422 if role == mine else 401
            else:
                want = 422 if ranks.index(mine) >= ranks.index(role) else 401 if mine == "none" else 403
            status, _ = call(operations, key, path_of(key) + "?frob=1", who)
            if status != want:
                raise Wrong("%s %s as %s: %d, not %d" % (*key, who, status, want))


def beyond(schema, in_body):
    """Values that the schema forbids."""
    kind, values = schema["type"], []
    if "enum" in schema:
        values += ["frob", ""]
    elif schema.get("format") == "date-time":
        values += ["yesterday", "2026-13-01T00:00:00Z", ""]
    elif "pattern" in schema:
        values += [v for v in ("yesterday", "0s", "-1h", "1h1", "") if v == "0s" or not re.match(schema["pattern"], v)]
    elif kind == "string":
        values += ["x" * (schema["maxLength"] + 1)] + [""] * (schema["minLength"] > 0)
    elif kind == "integer":
        values += [schema["minimum"] - 1, schema["maximum"] + 1] + ["x", "", "1e3"] * (not in_body)
    elif kind == "boolean":
        values += ["1", "yes"]
    elif kind == "array":
        values += [[0] * (schema["maxItems"] + 1)] + [[]] * (schema["minItems"] > 0)
    if not in_body:
        return values
    others = {"string": [1, True, []], "integer": ["1", 1.5, True], "number": ["1", True], "boolean": [0, "true"],
              "array": [{}, "x"], "object": [[], "x"]}
    return values + others[kind]


def allowed(schema):
    kind = schema["type"]
    if "enum" in schema:
        return schema["enum"][-1]
    if schema.get("format") == "date-time":
        return "2026-01-02T00:00:00Z"
    if "pattern" in schema:
        assert re.match(schema["pattern"], "15m")
        return "15m"
    return {"string": "x" * max(1, schema.get("minLength", 1)), "integer": schema.get("maximum"), "number": 1.5, "boolean": True,
            "array": [0] * max(1, schema.get("minItems", 1)), "object": {}}[kind]


def refused(operations, key, who, name, query="", body=None):
    status, answer = call(operations, key, path_of(key) + query, who, body=body)
    if status != 422 or "'%s'" % name not in json.loads(answer)["detail"]:
        raise Wrong("%s %s %s %s: %d, not 422 about '%s': %s" % (*key, query[:100], (body or "")[:100], status, name, answer[:300]))


def check_query(operations, key, operation, who):
    given = [p for p in operation["parameters"] if p["in"] == "query"]
    needed = {p["name"]: allowed(p["schema"]) for p in given if p["required"]}
    for p in given:
        for value in beyond(p["schema"], False):
            refused(operations, key, who, p["name"], "?" + urllib.parse.urlencode(needed | {p["name"]: value}))
        if p["required"]:
            refused(operations, key, who, p["name"])
    return len(given)


def check_members(operations, key, operation, who):
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    members, needed = schema["properties"], schema.get("required", [])
    good = {n: allowed(members[n]) for n in needed}
    for name, m in members.items():
        for value in beyond(m, True):
            refused(operations, key, who, name, body=json.dumps(good | {name: value}))
        if name in needed:
            refused(operations, key, who, name, body=json.dumps({n: v for n, v in good.items() if n != name}))
    return len(members)


def check_bounds():
    operations = described()
    kept["device"] = make_device()
    n = 0
    for key, operation in operations.items():
        who = ACCOUNTS[operation["x-role"]]
        n += check_query(operations, key, operation, who)
        if "requestBody" in operation:
            n += check_members(operations, key, operation, who)
    assert n > 150, n


def check_samples():
    """As a client would that knows the document alone, admin or device."""
    operations = described()
    kept["device"] = make_device()
    for key, operation in operations.items():
        if key[1] in ("/auth/login", "/auth/logout"):
            continue  # nobody is tried at the door or logged out
        who = "$device" if operation["x-role"] == "device" else "anna"
        query = "?" + urllib.parse.urlencode({p["name"]: allowed(p["schema"]) for p in operation["parameters"]
                                              if p["in"] == "query"}).replace("True", "true")
        bodies = [None]
        if "requestBody" in operation:
            members = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
            bodies = ["{}", json.dumps({n: allowed(m) for n, m in members.items()})]
        for body in bodies:
            for path in {path_of(key), key[1].replace("{id}", "nix")}:
                call(operations, key, path + query, who, body=body)


def check_others():
    operations = described()
    for path in {p for _, p in operations}:
        for method in ("GET", "POST", "PATCH", "DELETE", "PUT"):
            if any(m == method and re.fullmatch(p.replace("{id}", "[^/]+"), path) for m, p in operations):
                continue
            status, headers, body = ask(method, path.replace("{id}", "nix"), log_in("anna"))
            if status != 405:
                raise Wrong("%s %s: %d, not 405: %s" % (method, path, status, body[:300]))
            check_refusal(status, headers, body)
    for path in ("/nix", "/batteries/a/b/c", "/", ""):
        status, headers, body = ask("GET", path)
        if status != 404:
            raise Wrong("%s: %d, not 404: %s" % (path, status, body[:300]))
        check_refusal(status, headers, body)


def check_complete():
    with open("seen", encoding="utf-8") as f:
        there = set(f.read().splitlines())
    missing = ["%s %s %d" % (*key, status) for key, o in described().items() for status in sorted(statuses(o))
               if "%s %s %d" % (*key, status) not in there]
    if missing:
        raise Wrong("documented and never seen:\n" + "\n".join(missing))


def main(table, part, *command):
    whole = {"roles": check_roles, "bounds": check_bounds, "samples": check_samples, "others": check_others,
             "complete": check_complete}
    try:
        if part in whole:
            whole[part]()
        else:
            run_part(table, part, command)
            with open("seen", "a", encoding="utf-8") as f:
                f.write("".join(s + "\n" for s in sorted(seen)))
    except Wrong as w:
        sys.exit("%s: %s" % (part, w))


main(*sys.argv[1:])
