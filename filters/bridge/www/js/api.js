/*
 * The calls of /api/v1. The access token is in memory alone; the refresh token is in a
 * cookie that no script can read.
 */
import {Store} from './store.js';

const BASE = '/api/v1';

/* Who is logged in: undefined not known yet, null nobody, else the answer of auth/me. */
export const user = new Store(undefined);
/* The run on view: '' is production, else {id, run, …} of a simulation. */
export const run = new Store(null);

let token = null;
export const accessToken = () => token;

export class ApiError extends Error {
	/* status 0: no answer came. */
	constructor(status, detail, retryAfter) {
		super(detail);
		this.status = status;
		this.retryAfter = retryAfter;
	}
}

async function ask(method, path, body) {
	const headers = {};
	if (token) headers.Authorization = `Bearer ${token}`;
	if (body !== undefined) headers['Content-Type'] = 'application/json';
	let answer;
	try {
		answer = await fetch(BASE + path, {method, headers, credentials: 'same-origin',
			body: body === undefined ? undefined : JSON.stringify(body)});
	} catch (e) {
		throw new ApiError(0, e.message);
	}
	if (answer.status === 204) return null;
	const json = answer.headers.get('content-type')?.includes('json');
	const content = json ? await answer.json() : await answer.text();
	if (!answer.ok)
		throw new ApiError(answer.status, content?.detail ?? answer.statusText,
			Number(answer.headers.get('retry-after')) || 0);
	return content;
}

/*
 * A refresh token is good once, and all windows share its cookie: one at a time, or the
 * second would look like a thief. A window that waited finds the first one's cookie.
 */
const alone = (fn) => navigator.locks ? navigator.locks.request('floatline.refresh', fn) : fn();

let refreshing = null;
export function refresh() {
	refreshing ??= alone(() => ask('POST', '/auth/refresh')).then((a) => {
		token = a.access_token;
		return token;
	}).finally(() => { refreshing = null; });
	return refreshing;
}

function loggedOut() {
	token = null;
	user.set(null);
}

export async function call(method, path, body) {
	try {
		return await ask(method, path, body);
	} catch (e) {
		if (e.status !== 401 || path === '/auth/login') throw e;
	}
	try {
		await refresh();
	} catch (e) {
		if (e.status === 401 || e.status === 403) loggedOut();
		throw e;
	}
	return ask(method, path, body);
}

/* A path with its query; the run on view goes with every reading call that knows runs. */
export function withQuery(path, query = {}) {
	const q = new URLSearchParams();
	for (const [k, v] of Object.entries(query))
		if (v !== null && v !== undefined && v !== '') q.set(k, v);
	const text = q.toString();
	return text ? `${path}?${text}` : path;
}

export const get = (path, query) => call('GET', withQuery(path, query));
export const getOfRun = (path, query = {}) => get(path, {run: run.get()?.run, ...query});

export async function login(username, password) {
	const a = await ask('POST', '/auth/login', {username, password});
	token = a.access_token;
	user.set(await ask('GET', '/auth/me'));
}

/* Takes up the session of the cookie, if there is one. */
export async function resume() {
	try {
		await refresh();
		user.set(await ask('GET', '/auth/me'));
	} catch {
		loggedOut();
	}
}

export async function logout() {
	try {
		await call('POST', '/auth/logout');
	} finally {
		run.set(null);
		loggedOut();
	}
}

const RANK = {viewer: 1, engineer: 2, admin: 3};
export const may = (who, role) => (RANK[who?.role] ?? 0) >= RANK[role];
