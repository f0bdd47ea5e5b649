/* The pieces pages are made of. */
import {ApiError, run} from './api.js';
import {focusPlace} from './focus.js';
import {ago, dateTime, days, number, t, words} from './i18n.js';
import {here} from './router.js';
import {Store, useStore} from './store.js';
import {html, useEffect, useRef, useState} from './html.js';

/* Samples come each minute or so; estimates that do not change are told once an hour. */
export const STALE_MS = 5 * 60e3, ESTIMATE_STALE_MS = 65 * 60e3;

/* Shapes, so that no meaning hangs on colour alone. */
const SHAPES = {
	healthy: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm3.6 5.2-4.2 5-3-2.8 1.1-1.2 1.8 1.7 3.1-3.7z',
	watch: 'M8 3C4 3 1 8 1 8s3 5 7 5 7-5 7-5-3-5-7-5zm0 8a3 3 0 1 1 0-6 3 3 0 0 1 0 6z',
	info: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm-1 6h2v5H7zm0-3h2v2H7z',
	warning: 'M8 1.2 15.4 14.5H.6zM7.1 6v4.2h1.8V6zm0 5.2V13h1.8v-1.8z',
	critical: 'M5 1h6l4 4v6l-4 4H5l-4-4V5zm2 3v5h2V4zm0 6v2h2v-2z',
	failed: 'M3 1 8 6l5-5 2 2-5 5 5 5-2 2-5-5-5 5-2-2 5-5-5-5z',
	unknown: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zM7 11h2v2H7zm2-1.2H7.1C7 7.5 9.3 7.6 9.3 6.2 9.3 5.4 8.7 5 8 5c-.8 0-1.3.5-1.4 1.3L4.8 6C5 4.3 6.3 3.3 8 3.3c1.9 0 3.2 1.1 3.2 2.8C11.2 8.2 9 8.2 9 9.8z',
};

export const Shape = ({of}) => html`<svg viewBox="0 0 16 16" aria-hidden="true">
	<path fill="currentColor" fill-rule="evenodd" d=${SHAPES[of] ?? SHAPES.unknown} /></svg>`;

export const Status = ({of = 'unknown', title}) => html`<span class="status ${of}" title=${title}>
	<${Shape} of=${of} />${t(`status.${of}`)}</span>`;

export const Severity = ({of}) => html`<span class="severity ${of}">
	<${Shape} of=${of} />${t(`severity.${of}`)}</span>`;

/* One clock for all ages on the page. While a drill is on view it is the drill's: the
 * newest time that is known of it, for it runs as fast as it can. */
const clock = new Store(Date.now());
setInterval(() => clock.set(Date.now()), 5000);
export const drillClock = new Store(null);

/* A drill's hours go by in seconds: so much later is a value of it stale. */
const pace = () => Math.max(1, (run.get()?.speed ?? 1) / 20);
const isStale = (of, now, limit) => !of || now - new Date(of) > limit * pace();

export function useNow() {
	const real = useStore(clock);
	return useStore(drillClock) ?? real;
}

/* How old a value is; marked where it is stale. */
export function Age({of, never = t('age.never'), calm = false, brief = false, limit = STALE_MS}) {
	const now = useNow();
	if (!of) return html`<span class="age stale">${never}</span>`;
	const ms = now - new Date(of);
	const stale = !calm && isStale(of, now, limit);
	return html`<time class="age small ${stale ? 'stale' : 'muted'}" datetime=${of} title=${dateTime(of)}>${
		stale ? `⚠ ${ago(ms)}${brief ? '' : ` · ${t('age.stale')}`}` : ago(ms)}${
		stale && brief && html`<span class="hidden"> ${t('age.stale')}</span>`}</time>`;
}

/* box: a ref to it. */
export function Panel({title, tools, children, label, box, onKeyDown}) {
	return html`<section class="panel" aria-label=${label ?? title} ref=${box} onKeyDown=${onKeyDown}>
		${title && html`<header><h2>${title}</h2><span class="space"></span>${tools}</header>`}
		<div class="body">${children}</div></section>`;
}

/* What was chosen from the list beside it: the focus goes there, and when it is closed
 * back to the link it was chosen by. */
export function Detail({title, onClose, children}) {
	const box = useRef(null);
	useEffect(() => {
		focusPlace(box.current);
		box.current.scrollIntoView({block: 'nearest'});
	}, []);
	const close = () => {
		const chosen = here();
		onClose();
		requestAnimationFrame(() => [...document.querySelectorAll('main table a')]
			.find((a) => a.getAttribute('href') === chosen)?.focus());
	};
	return html`<${Panel} title=${title} box=${box} onKeyDown=${(e) => e.key === 'Escape' && !e.target.closest('dialog') && close()}
		tools=${html`<button onClick=${close}>${t('close')}</button>`}>${children}<//>`;
}

/* One measured quantity, big enough to be read from afar, with its age. */
export function Value({label, value, digits, unit, of, note, limit = STALE_MS}) {
	const now = useNow();
	const stale = isStale(of, now, limit);
	return html`<div class="panel value ${stale ? 'stale' : ''}"><span class="small muted">${label}</span>
		<b>${number(value, digits)} <small>${unit}</small></b>
		<span class="small muted note">${note && html`<span>${note}</span>`}<${Age} of=${of} brief=${true} limit=${limit} /></span></div>`;
}

export function messageOf(error) {
	if (error instanceof ApiError && error.status === 0) return t('error.offline');
	return error?.message || t('error.unknown');
}

export function Problem({error, again}) {
	return html`<div class="error" role="alert"><span>${messageOf(error)}</span>
		${again && html`<button onClick=${again}>${t('again')}</button>`}</div>`;
}

/* What a load gave: the children when there is data, else how it stands. */
export function Loaded({of, children, empty}) {
	if (of.data === null && of.error) return html`<${Problem} error=${of.error} again=${of.reload} />`;
	if (of.data === null) return html`<p class="muted" role="status">${t('loading')}</p>`;
	if (empty && of.data.items?.length === 0) return html`<p class="muted">${empty}</p>`;
	return html`${of.error && html`<${Problem} error=${of.error} again=${of.reload} />`}${children(of.data)}`;
}

/* columns: [{name, label, cell(row), sort(row)?, number?, code?, small?}]; small ones are
 * left out where there is little room. */
export function Table({columns, rows, keyOf, caption, sort, onSort, rowClass}) {
	const [own, setOwn] = useState({});
	const by = sort ?? own, setBy = onSort ?? setOwn;
	const column = columns.find((c) => c.name === by.name);
	const sorted = !sort && column?.sort ? [...rows].sort((a, b) => {
		const x = column.sort(a), y = column.sort(b);
		if (x === y) return 0;
		if (x === null || x === undefined) return 1;
		if (y === null || y === undefined) return -1;
		return (x < y ? -1 : 1) * (by.down ? -1 : 1);
	}) : rows;
	const press = (c) => setBy({name: c.name, down: by.name === c.name ? !by.down : false});
	const order = (c) => by.name === c.name ? (by.down ? 'descending' : 'ascending') : undefined;
	const head = (c) => html`<th scope="col" key=${c.name} aria-sort=${order(c)}
		class="${c.number ? 'number' : ''} ${c.small ? 'hide-small' : ''}">${c.sort ?
		html`<button onClick=${() => press(c)}>${c.label}${order(c) ? (by.down ? ' ▾' : ' ▴') : ''}</button>` :
		c.label}</th>`;
	return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}><table>
		<caption class="hidden">${caption}</caption>
		<thead><tr>${columns.map(head)}</tr></thead>
		<tbody>${sorted.map((row) => html`<tr key=${keyOf(row)} class=${rowClass?.(row)}>${columns.map((c) =>
			html`<td key=${c.name} class="${c.number ? 'number' : ''} ${c.code ? 'code' : ''} ${c.small ? 'hide-small' : ''}">${
				c.cell(row)}</td>`)}</tr>`)}</tbody></table></div>`;
}

export function Pager({skip, limit, total, onSkip}) {
	if (total === null || total === undefined || (total <= limit && skip === 0)) return null;
	return html`<nav class="tools pager" aria-label=${t('pages')}>
		<button aria-disabled=${skip === 0} onClick=${() => skip > 0 && onSkip(Math.max(0, skip - limit))}>‹ ${t('pages.back')}</button>
		<span class="muted">${t('pages.of', {from: skip + 1, to: Math.min(skip + limit, total), total})}</span>
		<button aria-disabled=${skip + limit >= total} onClick=${() => skip + limit < total && onSkip(skip + limit)}>${t('pages.on')} ›</button></nav>`;
}

/* Whether there is little room, as on a phone: by the width of page.css. */
const narrow = matchMedia('(max-width: 54rem)');

export function useNarrow() {
	const [is, set] = useState(narrow.matches);
	useEffect(() => {
		const look = () => set(narrow.matches);
		narrow.addEventListener('change', look);
		return () => narrow.removeEventListener('change', look);
	}, []);
	return is;
}

/* One of a few, as buttons. options: [[value, label]] */
export function Choice({label, value, options, onChange}) {
	return html`<div class="group" role="group" aria-label=${label}>${options.map(([v, words]) =>
		html`<button key=${v} aria-pressed=${v === value} onClick=${() => onChange(v)}>${words}</button>`)}</div>`;
}

/* A modal dialog; its form's values go to onDone, which may throw what is then shown. */
export function Dialog({title, children, done, danger, onDone, onClose}) {
	const ref = useRef(null), [error, setError] = useState(null), [busy, setBusy] = useState(false);
	useEffect(() => ref.current.showModal(), []);
	/* Closed by the browser, which gives the focus back; onClose follows. */
	const close = () => ref.current?.close();
	const submit = async (e) => {
		e.preventDefault();
		if (busy) return;
		setBusy(true);
		setError(null);
		try {
			await onDone(Object.fromEntries(new FormData(e.target)));
			close();
		} catch (problem) {
			setError(problem);
			setBusy(false);
		}
	};
	return html`<dialog ref=${ref} onClose=${onClose} aria-label=${title}>
		<form onSubmit=${submit}><h2>${title}</h2>${children}
			${error && html`<${Problem} error=${error} />`}
			<div class="group"><button type="button" onClick=${close}>${t('cancel')}</button>
				<button class=${danger ? 'danger' : 'first'} aria-disabled=${busy}>${done}</button></div>
		</form></dialog>`;
}

/* Messages that come and go. */
export const toasts = new Store([]);
run.watch(() => toasts.set([])); /* a drill's news end with it */
let toastId = 0;
const TOAST_MS = 9000;

export const dropToast = (id) => toasts.set(toasts.get().filter((x) => x.id !== id));

/* What comes when so many are there is only counted; on a phone they would hide the page. */
const TOASTS = 3, TOASTS_NARROW = 1;
const SUM = -1;

function put(x) {
	toasts.set([...toasts.get().filter((y) => y.id !== x.id), x]);
	if (x.kind !== 'critical') setTimeout(() => dropToast(x.id), TOAST_MS);
}

export function toast(text, kind = 'info', href = null) {
	put({id: ++toastId, text, kind, href});
}

/* News of an alert or incident. */
export function toastAlert(text, kind, href) {
	const news = toasts.get().filter((x) => x.news);
	if (news.length < (narrow.matches ? TOASTS_NARROW : TOASTS) && !news.some((x) => x.id === SUM)) {
		put({id: ++toastId, text, kind, href, news: true});
		return;
	}
	const sum = news.find((x) => x.id === SUM);
	const worst = kind === 'critical' || sum?.kind === 'critical' ? 'critical' : 'warning';
	const n = (sum?.n ?? 0) + 1;
	put({id: SUM, n, text: t('toast.more', {n: number(n)}), kind: worst, href: '#/alerts', news: true});
}

export function Toasts() {
	const all = useStore(toasts);
	return html`<div class="toasts" role="region" aria-live="polite" aria-label=${t('messages')}>${all.map((x) =>
		html`<div class="toast ${x.kind}" key=${x.id}>
			${x.href ? html`<a href=${x.href}>${x.text}</a>` : html`<span>${x.text}</span>`}
			<button aria-label=${t('close')} onClick=${() => dropToast(x.id)}>×</button></div>`)}</div>`;
}

export const batteryHref = (code) => `#/batteries/${encodeURIComponent(code)}`;
export const siteHref = (code) => `#/sites/${encodeURIComponent(code)}`;

/* A battery's reasons in the reader's words: names of rules, and estimates with a number,
 * which are left out where the numbers stand beside. */
export function reasonsOf(reasons, numbers = true) {
	const estimate = (r) => /^(soh|rul)[ ,]/.test(r);
	return (reasons ?? []).filter((r) => numbers || !estimate(r)).map((r) => {
		const [, kind, n] = /^(soh|rul(?: uncertain)?)\D+([\d.]+) [%d]$/.exec(r) ?? [];
		if (kind === 'soh') return t('reason.soh', {n: number(Number(n), 1)});
		if (kind && Number(n) < 1) return t('days.none');
		if (kind) return t(kind === 'rul' ? 'reason.rul' : 'reason.rul_unsure', {n: days(Number(n))});
		return words('rule', r);
	});
}

/* Where a subject stands: a battery has a page, what predicts is a model, a string or
 * system is seen at its site. */
export function subjectHref(subject) {
	if (subject === 'predict') return '#/models';
	if (/-J\d+$/.test(subject)) return batteryHref(subject);
	const site = subject.replace(/-(REC|UPS)-.*$/, '').replace(/-(ENV|HVAC).*$/, '');
	return siteHref(site) + (/-S\d+$/.test(subject) ? `?view=strings&string=${subject}` : '');
}
