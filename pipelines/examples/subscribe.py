#!/usr/bin/python3
"""Prints a feed, a record a line: subscribe.py [ADDRESS [TOPIC-PREFIX [SNAPSHOT-ADDRESS]]]"""
import io, json, msgpack, sys, zmq
address, prefix, late = (sys.argv[1:] + ["tcp://localhost:5556", "", ""][len(sys.argv) - 1:])[:3]
feed, asker = (zmq.Context.instance().socket(kind) for kind in (zmq.SUB, zmq.DEALER))
feed.connect(address)
for topic in prefix, "end/", "schema/":  # schema/ last: then the feed counts us as there
    feed.subscribe(topic)
def messages():
    if late:  # what was before us, piece by piece; asked for when the feed has seen us
        while feed.recv_multipart()[0] != b"schema/": pass
        asker.connect(late)
        position = b"0"
        while position:
            asker.send_multipart([b"snapshot", position, prefix.encode()])
            _, *parts, position = asker.recv_multipart()
            yield from zip(parts[0::3], parts[1::3], parts[2::3])
    while True: yield feed.recv_multipart()
kinds, last, lost, kind = {}, {}, 0, None
for topic, header, body in messages():
    source, number = msgpack.unpackb(header)  # numbered by feed and topic
    lost += max(0, number - last.get((source, topic), number - 1) - 1)
    if number <= last.get((source, topic), 0): continue  # the snapshot had it
    last[source, topic] = number
    for kind, *values in msgpack.Unpacker(io.BytesIO(body)):
        if kind == 0:  # a schema: number, name, version, [[field, type, unit, words], …]
            kinds[values[0]] = values[1], [field[0] for field in values[3]]
        elif kind in kinds:
            name, fields = kinds[kind]
            print(json.dumps({"kind": name} | dict(zip(fields, values))), flush=True)
    if kind == 127: break  # the end record
print(f"{lost} messages lost", file=sys.stderr)
