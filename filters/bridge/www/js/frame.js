/* Sidebar, header, banners and messages around every page. */
import {call, logout, may, run, user} from './api.js';
import {waiting} from './actions.js';
import {ago, dateTime, LANGUAGES, language, t} from './i18n.js';
import {link, listen} from './live.js';
import {chime, muted} from './sound.js';
import {theme, THEMES} from './theme.js';
import {messageOfAlert, titleOf} from './told.js';
import {useStore} from './store.js';
import {go, useRoute} from './router.js';
import {Dialog, drillClock, Problem, subjectHref, toast, toastAlert, Toasts, useNow} from './ui.js';
import {html, useEffect, useRef, useState} from './html.js';
import {PAGES} from './pages/index.js';

function Sidebar({who, at}) {
	return html`<div class="beside"><nav class="side" aria-label=${t('menu')}>
		<div class="brand"><img src="css/icon.svg" alt="" />floatline</div>
		${PAGES.filter((p) => p.icon && may(who, p.role)).map((p) => html`<a key=${p.name} href="#/${p.path}"
			aria-current=${p === at ? 'page' : undefined}>
			<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2"
				stroke-linecap="round" stroke-linejoin="round"><path d=${p.icon} /></svg>
			${t(`page.${p.name}`)}</a>`)}</nav></div>`;
}

function Link() {
	const l = useStore(link);
	return html`<span class="link ${l.state}" role="status"><i></i>${t(`link.${l.state}`)}</span>`;
}

/* The wall's clock; a drill's own while one is on view. */
function Clock() {
	const now = new Date(useNow()).toISOString();
	return html`<time class="clock" datetime=${now}>${dateTime(now)}</time>`;
}

function Password({onClose}) {
	return html`<${Dialog} title=${t('password.change')} done=${t('save')} onClose=${onClose}
		onDone=${async (v) => {
			await call('POST', '/auth/change-password', v);
			toast(t('password.changed'));
		}}>
		<label>${t('password.current')}<input type="password" name="current" autocomplete="current-password" required /></label>
		<label>${t('password.new')}<input type="password" name="password" autocomplete="new-password" minlength="8" required /></label>
	<//>`;
}

/* Closes by Escape, which leads back to what opened it, and when one goes elsewhere. */
function useDismiss(open, close, toggle) {
	const ref = useRef(null);
	useEffect(() => {
		if (!open) return undefined;
		const key = (e) => {
			if (e.key !== 'Escape') return;
			toggle.current.focus();
			close();
		};
		const elsewhere = (e) => ref.current?.contains(e.target) || close();
		addEventListener('keydown', key);
		addEventListener('pointerdown', elsewhere);
		addEventListener('focusin', elsewhere);
		return () => {
			removeEventListener('keydown', key);
			removeEventListener('pointerdown', elsewhere);
			removeEventListener('focusin', elsewhere);
		};
	}, [open]);
	return ref;
}

function Menu({who}) {
	const [open, setOpen] = useState(false), [password, setPassword] = useState(false), toggle = useRef(null);
	const ref = useDismiss(open, () => setOpen(false), toggle);
	const silent = useStore(muted), look = useStore(theme);
	return html`<div class="menu" ref=${ref}>
		<button ref=${toggle} aria-expanded=${open} onClick=${() => setOpen(!open)}>
			${who.full_name || who.username} <span class="tag">${t(`role.${who.role}`)}</span> ▾</button>
		${open && html`<div>
			<button onClick=${() => theme.set(THEMES[(THEMES.indexOf(look) + 1) % THEMES.length])}>${t(`theme.${look}`)}</button>
			<button aria-pressed=${silent} onClick=${() => muted.set(!silent)}>${t(silent ? 'sound.off' : 'sound.on')}</button>
			${Object.entries(LANGUAGES).filter(([k]) => k !== language.get()).map(([k, name]) =>
				html`<button lang=${k} onClick=${() => language.set(k)}>${name}</button>`)}
			<button onClick=${() => { toggle.current.focus(); setPassword(true); setOpen(false); }}>${t('password.change')}</button>
			<button onClick=${logout}>${t('logout')}</button></div>`}
		${password && html`<${Password} onClose=${() => setPassword(false)} />`}</div>`;
}

function Lost() {
	const l = useStore(link), kept = useStore(waiting), now = useNow();
	if (l.state !== 'lost' && kept.length === 0) return null;
	return html`<div class="banner" role="alert">
		${l.state === 'lost' && html`<span>${t('link.banner', {ago: ago(Math.max(0, now - l.since))})}</span>`}
		${kept.length > 0 && html`<span>${t('queue.waiting', {n: kept.length})}</span>`}</div>`;
}

function Simulation() {
	const of = useStore(run);
	if (!of) return null;
	return html`<div class="banner simulation" role="status"><strong>${t('simulation.banner')}</strong>
		<span>${of.location} · ×${of.speed}</span>
		<button onClick=${() => run.set(null)}>${t('simulation.leave')}</button></div>`;
}

/* What is new is said once, wherever one is: an incident in the place of its alerts. */
function useAlertToasts() {
	const told = useRef(new Map());
	useEffect(() => listen((m, known) => {
		if (m.type !== 'alert' && m.type !== 'incident') return;
		const open = m.state === 'firing' || m.state === 'open';
		const news = open && told.current.get(m.id) !== m.severity;
		if (open) told.current.set(m.id, m.severity);
		else told.current.delete(m.id);
		if (!news || known || m.severity === 'info' || (m.type === 'alert' && m.incident_id)) return;
		toastAlert(m.type === 'incident' ? titleOf(m) : messageOfAlert(m), m.severity, m.type === 'incident' ? `#/alerts?view=incidents&incident=${m.id}` : subjectHref(m.subject));
		if (m.severity === 'critical') chime();
	}), []);
}

/* The clock of the drill on view goes with what comes of it. */
function useDrillClock() {
	const of = useStore(run);
	useEffect(() => {
		if (!of) return undefined;
		let newest = drillClock.get() ?? 0;
		const end = listen((m) => {
			if (m.ts && m.run === of.run) newest = Math.max(newest, Date.parse(m.ts));
		});
		const timer = setInterval(() => newest && drillClock.set(newest), 1000);
		return () => {
			end();
			clearInterval(timer);
		};
	}, [of?.run]);
}

export function Frame({who}) {
	const route = useRoute(), of = useStore(run);
	const at = PAGES.find((p) => p.path === (route.parts[0] ?? '')) ?? PAGES[0];
	const main = useRef(null), shown = useRef(null);
	useAlertToasts();
	useDrillClock();
	useEffect(() => { document.title = [route.parts[1], t(`page.${at.name}`), 'floatline'].filter(Boolean).join(' · '); },
		[at, route.parts[1], language.get()]);
	useEffect(() => {
		const now = `${of?.run ?? ''} ${route.path}`;
		if (shown.current !== null && shown.current !== now) {
			main.current.focus({preventScroll: true});
			scrollTo(0, 0);
		}
		shown.current = now;
	}, [route.path, of?.run]);
	return html`<div class="frame ${of ? 'simulated' : ''}">
		<a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); main.current.focus(); }}>${t('skip')}</a>
		<${Sidebar} who=${who} at=${at} />
		<div><header class="head"><${Link} /><span class="space"></span><${Clock} /><${Menu} who=${who} /></header>
			<${Lost} /><${Simulation} />
			<main class="content" id="main" tabindex="-1" ref=${main} key=${of?.run ?? ''}>${may(who, at.role) ?
				html`<${at.view} key=${route.path} who=${who} parts=${route.parts} query=${route.query} />` :
				html`<${Problem} error=${new Error(t('error.role'))} again=${() => go('#/')} />`}</main></div>
		<${Toasts} /></div>`;
}
