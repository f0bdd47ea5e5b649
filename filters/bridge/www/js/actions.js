/*
 * What a person decides while the connection is away is kept on this machine, for this
 * account, and sent when it is back. Each call is one that may be sent twice.
 */
import {call, user} from './api.js';
import {link, resync} from './live.js';
import {keep, Store} from './store.js';
import {t} from './i18n.js';
import {messageOf, toast} from './ui.js';

const RETRY_MS = 5000;
const name = () => `queue.${user.get()?.username ?? ''}`;

export const waiting = new Store([]);
let sending = false;

function put(list) {
	keep.set(name(), list);
	waiting.set(list);
}

const away = (e) => e.status === 0 || e.status === 503;

/* Sends now, or keeps it: then returns null. Throws what the server refused. */
export async function act(method, path, body) {
	try {
		return await call(method, path, body);
	} catch (e) {
		if (!away(e)) throw e;
		put([...waiting.get(), {method, path, body}]);
		toast(t('queue.kept'), 'warning');
		return null;
	}
}

async function sendAll() {
	if (sending || !user.get()) return;
	sending = true;
	try {
		while (waiting.get().length > 0) {
			const [first] = waiting.get();
			try {
				await call(first.method, first.path, first.body);
			} catch (e) {
				if (away(e) || e.status === 401) return; /* later, or when they are back */
				toast(t('queue.refused', {detail: messageOf(e)}), 'critical');
			}
			put(waiting.get().slice(1)); /* others may have come meanwhile */
			if (waiting.get().length > 0) continue;
			toast(t('queue.sent'));
			resync.set(resync.get() + 1); /* what is on view was asked for before */
		}
	} finally {
		sending = false;
	}
}

user.watch((who) => {
	waiting.set(who ? keep.get(name(), []) : []);
	sendAll();
});
link.watch((l) => l.state === 'live' && sendAll());
setInterval(sendAll, RETRY_MS);
