"""A WebSocket client for the tests of bridge: as a page would be, a line a step."""
import asyncio, json, os, websockets


class Client:
    """async with Client() as c: …; says who it is unless token is None."""

    def __init__(self, token=os.environ.get("TOKEN"), url=None, origin=None, ssl=None, **auth):
        self.token, self.auth, self.origin, self.ssl = token, auth, origin, ssl
        self.url = url or os.environ["API"].replace("http", "ws", 1) + "/ws"
        self.seq, self.feed, self.seen = None, None, []

    async def __aenter__(self):
        self.ws = await websockets.connect(self.url, origin=self.origin, max_size=1 << 26,
                                           ping_interval=None, close_timeout=1, ssl=self.ssl)
        if self.token is not None:
            await self.send("auth", token=self.token, **self.auth)
            self.hello = await self.until("connected")
            self.feed = self.hello["feed"]
        return self

    async def __aexit__(self, *_):
        await self.ws.close()

    async def send(self, kind, **members):
        await self.ws.send(json.dumps({"type": kind} | members))

    async def next(self, timeout=10):
        m = json.loads(await asyncio.wait_for(self.ws.recv(), timeout))
        self.seq = m.get("seq", self.seq)
        return m

    async def until(self, kind, timeout=10, **members):
        """The next message of that type with those members; those before go to seen."""
        while True:
            m = await self.next(timeout)
            if m["type"] == kind and all(m.get(k) == v for k, v in members.items()):
                return m
            self.seen.append(m)

    async def enter(self, room, code=None, **members):
        if code:
            members[room] = code
        await self.send("subscribe_" + room, **members)
        return await self.until("subscribed")

    async def closed(self, timeout=15):
        """The code it is closed with."""
        async def read():
            async for m in self.ws:
                self.seen.append(json.loads(m))
            return self.ws.close_code
        try:
            return await asyncio.wait_for(read(), timeout)
        except websockets.ConnectionClosed as e:
            return e.code

    def types(self):
        return [m["type"] for m in self.seen]


def run(main):
    asyncio.run(main())
