"""waits.py FILE STOP: writes to a SQLite file a hundred times a second until there is a
file STOP. Prints how many writes there were and how long, in ms, all but the slowest one
in fifty waited for the lock."""
import os
import sqlite3
import sys
import time

db = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
db.execute("PRAGMA synchronous = NORMAL")
waits = []
while not os.path.exists(sys.argv[2]):
    start = time.monotonic()
    while True:
        try:
            db.execute("BEGIN IMMEDIATE")
            break
        except sqlite3.OperationalError:
            time.sleep(0.002)
    waits.append(time.monotonic() - start)
    db.execute("UPDATE run SET name = name WHERE id = -1")
    db.execute("COMMIT")
    time.sleep(0.01)
waits.sort()
print(len(waits), round(1000 * waits[len(waits) * 98 // 100]))
