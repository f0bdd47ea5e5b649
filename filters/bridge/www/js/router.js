/* Pages by the part of the address behind '#': '#/sites/DC-CNX-01?view=strings'. */
import {Store, useStore} from './store.js';

function parse() {
	const [path, query] = location.hash.replace(/^#/, '').split('?');
	return {path: path || '/', parts: path.split('/').filter(Boolean).map(decodeURIComponent),
		query: Object.fromEntries(new URLSearchParams(query ?? ''))};
}

const route = new Store(parse());
addEventListener('hashchange', () => route.set(parse()));

export const useRoute = () => useStore(route);
export const here = () => location.hash || '#/';
export const go = (hash) => { location.hash = hash; };

/* Changes the query of the address without a new entry in the history. */
export function setQuery(change) {
	const {path, query} = route.get();
	const q = new URLSearchParams();
	for (const [k, v] of Object.entries({...query, ...change})) if (v) q.set(k, v);
	const text = q.toString();
	history.replaceState(null, '', `#${path}${text ? `?${text}` : ''}`);
	route.set(parse());
}
