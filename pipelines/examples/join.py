#!/usr/bin/python3
"""As subscribe.py, from the state of the feed on: join.py ADDRESS SNAPSHOT-ADDRESS [TOPIC-PREFIX]"""
import io, json, msgpack, sys, zmq
address, late, prefix = (sys.argv[1:] + [""])[:3]
feed, asker = (zmq.Context.instance().socket(kind) for kind in (zmq.SUB, zmq.DEALER))
feed.connect(address)
asker.connect(late)
for topic in prefix, "end/", "schema/":  # schema/ last: then the feed counts us as there
    feed.subscribe(topic)

def messages():
    while feed.recv_multipart()[0] != b"schema/":  # the feed has seen us: nothing will be missed
        pass
    position = b"0"
    while position:  # what was before us, piece by piece
        asker.send_multipart([b"snapshot", position, prefix.encode()])
        _, *parts, position = asker.recv_multipart()
        yield from zip(parts[0::3], parts[1::3], parts[2::3])
    while True:
        yield feed.recv_multipart()

kinds, last, kind = {}, {}, None
for topic, header, body in messages():
    source, number = msgpack.unpackb(header)  # numbered by feed and topic
    if number <= last.get((source, topic), 0):
        continue  # the snapshot had it
    last[source, topic] = number
    for kind, *values in msgpack.Unpacker(io.BytesIO(body)):
        if kind == 0:  # a schema: number, name, version, [[field, type, unit, words], …]
            kinds[values[0]] = values[1], [field[0] for field in values[3]]
        elif kind in kinds:
            name, fields = kinds[kind]
            print(json.dumps({"kind": name} | dict(zip(fields, values))), flush=True)
    if kind == 127:  # the end record
        break
