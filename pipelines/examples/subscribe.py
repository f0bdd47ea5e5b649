#!/usr/bin/python3
"""Prints a floatline feed, a record a line: subscribe.py ADDRESS [TOPIC-PREFIX]"""
import json
import sys

import msgpack
import zmq

address, prefix = (sys.argv[1:] + ["tcp://localhost:5556", ""])[:2] if len(sys.argv) < 3 else sys.argv[1:3]
socket = zmq.Context().socket(zmq.SUB)
socket.connect(address)
for topic in ("schema/", "end/", prefix):
    socket.subscribe(topic)

kinds, last, gaps = {}, {}, 0
while True:
    topic, header, body = socket.recv_multipart()
    feed, number = msgpack.unpackb(header)
    gaps += max(0, number - last.get((feed, topic), number - 1) - 1)
    last[feed, topic] = number
    kind, *values = msgpack.unpackb(body)
    if kind == 0:  # a schema: number, name, version, [[field, type, unit, words], ...]
        kinds[values[0]] = values[1], [field[0] for field in values[3]]
    elif kind == 127:  # the end of the feed
        break
    elif kind in kinds:
        name, fields = kinds[kind]
        print(json.dumps({"kind": name, **dict(zip(fields, values))}), flush=True)
print(f"{gaps} messages lost", file=sys.stderr)
