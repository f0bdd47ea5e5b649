/* A value that parts of the page share and watch. */
import {useEffect, useState} from './html.js';

export class Store {
	#value;
	#watchers = new Set();

	constructor(value) {
		this.#value = value;
	}

	get() {
		return this.#value;
	}

	set(value) {
		if (Object.is(value, this.#value)) return;
		this.#value = value;
		for (const watch of [...this.#watchers]) watch(value);
	}

	/* Returns a function that ends the watch. */
	watch(fn) {
		this.#watchers.add(fn);
		return () => this.#watchers.delete(fn);
	}
}

export function useStore(store) {
	const [value, setValue] = useState(store.get());
	useEffect(() => {
		setValue(store.get());
		return store.watch(setValue);
	}, [store]);
	return value;
}

/* What outlives the page, on this machine; a browser that keeps nothing is no error. */
export const keep = {
	get(name, preset = null) {
		try {
			const text = localStorage.getItem(`floatline.${name}`);
			return text === null ? preset : JSON.parse(text);
		} catch {
			return preset;
		}
	},
	set(name, value) {
		try {
			localStorage.setItem(`floatline.${name}`, JSON.stringify(value));
		} catch { /* not kept */ }
	},
};
