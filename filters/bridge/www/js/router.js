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

/* The address of this page with its query changed; always in the same order. */
export function hrefWith(change) {
	const {path, query} = route.get();
	const q = new URLSearchParams();
	for (const [k, v] of Object.entries({...query, ...change}).sort()) if (v) q.set(k, v);
	const text = q.toString();
	return `#${path}${text ? `?${text}` : ''}`;
}

/* Changes the query of the address without a new entry in the history. */
export function setQuery(change) {
	history.replaceState(null, '', hrefWith(change));
	route.set(parse());
}
