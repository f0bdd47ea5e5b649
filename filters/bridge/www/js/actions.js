/*
 * What a person decides while the connection is away is kept on this machine, for this
 * account, and sent when it is back. Each call is one that may be sent twice.
 */
import {call, user} from './api.js';
import {link} from './live.js';
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
			const [first, ...rest] = waiting.get();
			try {
				await call(first.method, first.path, first.body);
			} catch (e) {
				if (away(e)) return;
				toast(t('queue.refused', {detail: messageOf(e)}), 'critical');
			}
			put(rest);
			if (rest.length === 0) toast(t('queue.sent'));
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
