#!/usr/bin/python3
"""Prints a floatline feed, a record a line: subscribe.py [ADDRESS [TOPIC-PREFIX]]"""
import io, json, msgpack, sys, zmq
address, prefix = (sys.argv[1:] + ["tcp://localhost:5556", ""][len(sys.argv) - 1:])[:2]
(socket := zmq.Context().socket(zmq.SUB)).connect(address)
for topic in prefix, "end/", "schema/":  # schema/ last: then the feed counts us as there
    socket.subscribe(topic)
kinds, last, lost, kind = {}, {}, 0, None
while kind != 127:  # the end record
    topic, header, body = socket.recv_multipart()
    feed, number = msgpack.unpackb(header)  # numbered by feed and topic
    lost += max(0, number - last.get((feed, topic), number - 1) - 1)
    last[feed, topic] = number
    for kind, *values in msgpack.Unpacker(io.BytesIO(body)):
        if kind == 0:  # a schema: number, name, version, [[field, type, unit, words], …]
            kinds[values[0]] = values[1], [field[0] for field in values[3]]
        elif kind in kinds:
            name, fields = kinds[kind]
            print(json.dumps({"kind": name} | dict(zip(fields, values))), flush=True)
print(f"{lost} messages lost", file=sys.stderr)
