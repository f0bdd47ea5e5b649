/*
 * The live feed over a WebSocket: reconnects by itself, waiting longer each time, asks
 * for what it missed, and tells those who watch to ask again where that is gone.
 */
import {accessToken, refresh, run, user} from './api.js';
import {Store} from './store.js';
import {useEffect, useRef} from './html.js';

const FIRST_WAIT = 500, LONGEST_WAIT = 15000, PING_MS = 20000, SILENT_MS = 50000;

/* connecting | live | lost; 'since' is when that began. */
export const link = new Store({state: 'connecting', since: Date.now()});
/* Counts each time after which what is on the screen may have holes. */
export const resync = new Store(0);

let socket = null, wait = FIRST_WAIT, timer = null, pinger = null, heard = 0;
let lastSeq = null, feed = null;
const rooms = new Map(); /* name -> {message, users: Set of functions} */
const listeners = new Set();

const tell = (state) => {
	if (link.get().state !== state) link.set({state, since: Date.now()});
};

const send = (message) => {
	if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
};

/* known: what was so already, told to one who comes late; not news. */
function hand(message, known = false) {
	for (const fn of [...listeners]) fn(message, known);
	for (const room of rooms.values()) for (const fn of [...room.users]) fn(message);
}

function take(message) {
	if (message.seq !== undefined && message.seq !== null) lastSeq = message.seq;
	switch (message.type) {
	case 'connected':
		if (feed !== null && feed !== message.feed) lastSeq = null;
		feed = message.feed ?? null;
		wait = FIRST_WAIT;
		tell('live');
		for (const room of rooms.values()) send(room.message);
		resync.set(resync.get() + 1);
		break;
	case 'subscribed':
		for (const one of message.snapshot ?? []) hand(one, true);
		break;
	case 'missed':
		resync.set(resync.get() + 1);
		break;
	default:
		hand(message);
	}
}

function again() {
	clearTimeout(timer);
	timer = setTimeout(connect, wait * (0.75 + Math.random() / 2));
	wait = Math.min(wait * 2, LONGEST_WAIT);
}

async function closed(event) {
	clearInterval(pinger);
	socket = null;
	if (!user.get()) return;
	tell('lost');
	/* The token ran out or the session ended: a refresh tells which. */
	if (event.code === 4401) await refresh().catch(() => {});
	if (user.get()) again();
}

function connect() {
	clearTimeout(timer);
	if (socket || !user.get()) return;
	const ws = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/v1/ws`);
	socket = ws;
	ws.onopen = () => {
		heard = Date.now();
		send({type: 'auth', token: accessToken(), last_seq: lastSeq, feed, batch: true});
		clearInterval(pinger);
		pinger = setInterval(() => {
			if (Date.now() - heard > SILENT_MS) ws.close();
			else send({type: 'ping'});
		}, PING_MS);
	};
	ws.onmessage = (e) => {
		heard = Date.now();
		/* Updates come many at a time: parsing each alone would cost more. */
		for (const message of [JSON.parse(e.data)].flat()) take(message);
	};
	ws.onclose = closed;
}

user.watch((who) => {
	if (who) {
		connect();
		return;
	}
	clearTimeout(timer);
	lastSeq = feed = null;
	socket?.close();
});
addEventListener('online', () => {
	wait = FIRST_WAIT;
	connect();
});

export function listen(fn) {
	listeners.add(fn);
	return () => listeners.delete(fn);
}

/* kind: 'fleet', 'location' or 'battery'. Returns a function that leaves the room. */
function enter(kind, id, fn) {
	const of = run.get()?.run;
	const name = `${of ?? ''}/${kind}/${id ?? ''}`;
	const member = {...(id && {[kind]: id}), ...(of && {run: of})};
	let room = rooms.get(name);
	if (!room) {
		room = {message: {type: `subscribe_${kind}`, ...member}, users: new Set()};
		rooms.set(name, room);
		send(room.message);
	}
	room.users.add(fn);
	return () => {
		room.users.delete(fn);
		if (room.users.size > 0) return;
		rooms.delete(name);
		send({type: `unsubscribe_${kind}`, ...member});
	};
}

/* Calls fn with each message while the component is there. */
export function useRoom(kind, id, fn) {
	const latest = useRef(fn);
	latest.current = fn;
	useEffect(() => {
		if (kind !== 'fleet' && !id) return undefined;
		return enter(kind, id, (m) => latest.current(m));
	}, [kind, id]);
}
