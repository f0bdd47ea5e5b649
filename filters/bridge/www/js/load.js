/* Data of a call as a component's state: asked, asked again, and kept while it is. */
import {getOfRun, run, withQuery} from './api.js';
import {link, resync} from './live.js';
import {useStore} from './store.js';
import {useCallback, useEffect, useRef, useState} from './html.js';

const POLL_LIVE = 60000, POLL_LOST = 15000;

/*
 * {data, error, loading, reload, patch}. Asks when path or query change, after the feed
 * has come back, and now and then; what was there stays on view while that goes on.
 * path null asks nothing. 'fixed' asks once.
 */
export function useLoad(path, query = {}, {fixed = false} = {}) {
	const [state, setState] = useState({data: null, error: null, loading: true, of: null});
	const live = useStore(link).state === 'live', holes = useStore(resync), of = useStore(run);
	const key = path && withQuery(path, {...query, run: of?.run});
	const asked = useRef(0);
	const reload = useCallback(() => {
		if (!path) return;
		const turn = ++asked.current;
		getOfRun(path, query).then(
			(data) => turn === asked.current &&
				setState({data, error: null, loading: false, of: key}),
			(error) => turn === asked.current &&
				setState((s) => ({...s, data: s.of === key ? s.data : null, error, loading: false})));
	}, [key]);
	useEffect(() => {
		reload();
		if (fixed) return undefined;
		const timer = setInterval(reload, live ? POLL_LIVE : POLL_LOST);
		return () => clearInterval(timer);
	}, [reload, live, holes, fixed]);
	const patch = useCallback((fn) => setState((s) => s.data ? {...s, data: fn(s.data)} : s), []);
	return {...state, reload, patch};
}

/* fn at most once in 'ms', the last call counts: for bursts of messages. */
export function useCalm(fn, ms) {
	const latest = useRef(fn), timer = useRef(null);
	latest.current = fn;
	useEffect(() => () => clearTimeout(timer.current), []);
	return useCallback(() => {
		timer.current ??= setTimeout(() => {
			timer.current = null;
			latest.current();
		}, ms);
	}, [ms]);
}
