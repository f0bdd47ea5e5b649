/* How the fleet is, at a glance. */
import {call, getOfRun, run} from '../api.js';
import {date, days, number, t, withUnit} from '../i18n.js';
import {useRoom} from '../live.js';
import {useCalm, useLoad} from '../load.js';
import {TimeChart} from '../chart.js';
import {Quarters} from '../plots.js';
import {Age, batteryHref, ESTIMATE_STALE_MS, Loaded, Panel, reasonsOf, siteHref, STALE_MS, Status} from '../ui.js';
import {titleOf} from '../told.js';
import {AlertLines} from './alertlist.js';
import {html, useEffect, useMemo, useState} from '../html.js';

const SOON = 1500, MONTH_MS = 31 * 86400e3;

function Card({label, value, kind = '', href, note}) {
	return html`<a class="panel card ${kind}" href=${href}><span class="muted">${label}</span>
		<b>${value}</b><span class="small muted">${note}</span></a>`;
}

/* Some are known to carry nothing for a while: the least is that of the others. */
const autonomyOf = ({least_autonomy_min: min, recharging: n}) =>
	t(n > 0 ? 'overview.autonomy_rest' : 'overview.autonomy', {min: number(min), n: number(n)});

function Cards({summary: s}) {
	return html`<div class="grid cards">
		<${Card} label=${t('overview.batteries')} value=${number(s.batteries)} href="#/fleet"
			note=${t('overview.locations', {n: number(s.locations)})} />
		<${Card} label=${t('overview.alerts')} value=${number(s.open_alerts)} href="#/alerts"
			kind=${s.open_alerts ? 'warn' : ''} note=${t('overview.alerts_note')} />
		<${Card} label=${t('overview.critical')} value=${number(s.critical)} href="#/fleet?status=critical"
			kind=${s.critical ? 'alarm' : ''} note=${t('overview.due', {n: number(s.due_90d)})} />
		<${Card} label=${t('overview.soh')} value=${withUnit(s.mean_soh_pct, 1, '%')} href="#/fleet"
			note=${autonomyOf(s)} /></div>`;
}

export function healthOf(site) {
	if (site.critical > 0) return 'critical';
	if (site.warning > 0) return 'warning';
	return site.batteries > 0 && site.last_state ? 'healthy' : 'unknown';
}

/* A count that is there to be read when it is not nought. */
const Count = ({n, of}) => html`<dd class=${n ? of ?? '' : 'none'}>${number(n)}</dd>`;

function SiteTile({site, live}) {
	const of = healthOf(site);
	const well = Math.max(0, site.batteries - site.critical - site.warning);
	return html`<a class="panel site ${of}" href=${siteHref(site.id)}>
		<span class="top"><strong>${site.id}</strong><${Status} of=${of} /></span>
		<span class="muted small">${site.name}</span>
		<span class="bar" aria-hidden="true">${[['healthy', well], ['warning', site.warning], ['critical', site.critical]].filter(([, n]) => n > 0)
			.map(([k, n]) => html`<i key=${k} class=${k} style=${{flex: n}}></i>`)}</span>
		<dl><dt>${t('overview.critical_short')}</dt><${Count} n=${site.critical} of="critical" />
			<dt>${t('overview.warning_short')}</dt><${Count} n=${site.warning} of="warning" />
			<dt>${t('overview.alerts')}</dt><${Count} n=${site.open_alerts} /></dl>
		<span class="last small"><span>${live ? t('overview.now', {v: number(live.voltage_mean_v, 2), c: number(live.temperature_max_c, 1)}) :
			t('overview.soh_of', {pct: number(site.mean_soh_pct, 1)})}</span><${Age} of=${live?.ts ?? site.last_state} limit=${live ? STALE_MS : ESTIMATE_STALE_MS} /></span></a>`;
}

function Trend() {
	const load = useLoad('/fleet/trend', {months: 12});
	const chart = useMemo(() => {
		const items = load.data?.items ?? [];
		const points = items.filter((i) => i.soh_mean_pct !== null)
			.map((i) => [Date.parse(`${i.month}-15T00:00:00Z`), i.soh_mean_pct, i.soh_p10_pct, i.soh_p90_pct]);
		return {points, series: [{name: t('overview.soh'), colour: '--accent', band: true, points}]};
	}, [load.data]);
	const {points} = chart;
	return html`<${Panel} title=${t('overview.trend')}><${Loaded} of=${load}>${() => points.length === 0 ?
		html`<p class="muted">${t('nothing')}</p>` : html`<${TimeChart} label=${t('overview.trend')} unit="%" digits=${1}
			from=${points[0][0] - MONTH_MS / 2} to=${points.at(-1)[0] + MONTH_MS / 2} stepMs=${MONTH_MS} series=${chart.series} />`}<//><//>`;
}

function Due() {
	const load = useLoad('/fleet/forecast', {months: 24});
	return html`<${Panel} title=${t('overview.forecast')} tools=${html`<a href="#/fleet">${t('more')}</a>`}>
		<${Loaded} of=${load} empty=${t('nothing')}>${(d) => html`<${Quarters} items=${d.items} label=${t('overview.forecast')} />
			<p class="small muted">${t('forecast.legend')}</p>`}<//><//>`;
}

const WHY = 3, SOON_DAYS = 180, END_PCT = 80;

/* Its health, what its status stands on besides, and what shortens its life most. */
function whyOf(b) {
	const alerts = reasonsOf((b.reasons ?? []).filter((r) => r !== 'jar-soh-low'), false);
	const shortens = (b.factors ?? []).filter(([, pct]) => pct < 0).sort((x, y) => x[1] - y[1]).slice(0, WHY)
		.map(([name, pct]) => `${t(`factor.${name}`)} ${number(-pct)} %`);
	return [b.soh_pct !== null && t('first.health', {n: number(b.soh_pct, 1), end: END_PCT}), alerts.join(' · '),
		shortens.length > 0 && t('first.shortened', {by: shortens.join(', ')})].filter(Boolean);
}

/* The one battery that will fail before all others, and why: what somebody who stands
 * before the page for the first time should read first. */
function First({load, sites}) {
	const b = load.data?.items.find((x) => x.rul_days !== null);
	if (!b) return null;
	const site = sites.data?.items.find((s) => s.id === b.location);
	const due = b.rul_days < SOON_DAYS;
	return html`<a class="panel first ${due ? b.status ?? 'unknown' : ''}" href=${batteryHref(b.id)}>
		<span class="who"><span class="small">${t(due ? 'first.title' : 'first.calm')}</span>
			<b>${b.id}</b><span class="small muted">${site?.name ?? b.location}</span></span>
		<span class="when"><span class="small">${t('first.left')}</span><b>${days(b.rul_days)}</b>
			<span class="small muted">${b.rul_upper_days > 0 && t('battery.interval', {from: days(b.rul_lower_days), to: days(b.rul_upper_days)})}</span>
			<span class="small muted">${b.replace_by && t('first.replace_by', {date: date(b.replace_by)})}</span></span>
		<span class="cause"><span class="small">${t('first.why')}</span>
			${whyOf(b).map((w) => html`<span key=${w}>${w}</span>`)}</span></a>`;
}

/* The batteries to look at first, and why. */
function Worst({load}) {
	return html`<${Panel} title=${t('overview.worst')} tools=${html`<span class="small muted">${t('overview.worst_note')}</span>`}>
		<${Loaded} of=${load} empty=${t('nothing')}>${(d) => html`<ul class="list">${d.items.map((b) =>
			html`<li key=${b.id}><${Status} of=${b.status ?? 'unknown'} /><span><a class="what" href=${batteryHref(b.id)}>${b.id}</a>
				<span class="why">${reasonsOf(b.reasons, false).join(' · ')}</span></span>
				<span class="number"><strong>${days(b.rul_days)}</strong><span class="why">${withUnit(b.soh_pct, 0, '%')}</span></span></li>`)}</ul>`}<//><//>`;
}

function Changes() {
	const load = useLoad('/me/changes', {}, {fixed: true});
	const [gone, setGone] = useState(false);
	const d = load.data;
	if (!d?.since || gone || run.get() || !(d.alerts_new || d.incidents_new.length || d.statuses.length || d.replacements.length)) return null;
	const seen = () => {
		setGone(true);
		call('POST', '/me/visit').catch(() => setGone(false));
	};
	return html`<div class="below"><${Panel} title=${t('changes.title', {since: date(d.since)})} tools=${html`<button onClick=${seen}>${t('changes.seen')}</button>`}>
		<p>${t('changes.alerts', {n: number(d.alerts_new), resolved: number(d.alerts_resolved)})}</p>
		<ul class="list">${d.incidents_new.slice(0, 5).map((i) => html`<li key=${i.id}><span class="tag strong">${t('incident')}</span>
			<a href="#/alerts?view=incidents&incident=${i.id}">${titleOf(i)}</a><${Age} of=${i.ts} calm=${true} /></li>`)}
		${d.statuses.slice(0, 8).map((s) => html`<li key=${s.battery}><${Status} of=${s.status} />
			<a href=${batteryHref(s.battery)}>${s.battery}</a><${Age} of=${s.ts} calm=${true} /></li>`)}
		${d.replacements.slice(0, 5).map((r) => html`<li key=${r.battery}><span class="tag">${t('event.replacement')}</span>
			<a href=${batteryHref(r.battery)}>${r.battery}</a><${Age} of=${r.ts} calm=${true} /></li>`)}</ul><//></div>`;
}

/* The first visit of an account begins now. */
function useFirstVisit() {
	useEffect(() => {
		getOfRun('/me/changes').then((d) => d.since === null && call('POST', '/me/visit')).catch(() => {});
	}, []);
}

export function Overview() {
	const summary = useLoad('/fleet/summary'), sites = useLoad('/locations', {limit: 1000});
	const alerts = useLoad('/alerts', {active_only: true, limit: 10});
	const worst = useLoad('/batteries', {sort: 'rul', limit: 8});
	const [live, setLive] = useState({});
	const soon = useCalm(() => {
		summary.reload();
		sites.reload();
		alerts.reload();
		worst.reload();
	}, SOON);
	useFirstVisit();
	useRoom('fleet', null, (m) => {
		if (m.type === 'telemetry_update' && m.location) setLive((l) => ({...l, [m.location]: m}));
		else if (m.type === 'alert' || m.type === 'incident' || m.type === 'battery_status_update') soon();
	});
	return html`<div class="title"><h1>${t('page.overview')}</h1><span class="space"></span>
			<${Age} of=${summary.data?.as_of} /></div>
		<${Loaded} of=${summary}>${(s) => html`<${Cards} summary=${s} />`}<//>
		<${First} load=${worst} sites=${sites} />
		<${Changes} />
		<${Loaded} of=${sites} empty=${t('overview.no_sites')}>${(d) => html`<div class="grid sites">
			${d.items.map((s) => html`<${SiteTile} key=${s.id} site=${s} live=${live[s.id]} />`)}</div>`}<//>
		<div class="grid triple"><${Worst} load=${worst} />
			<${Panel} title=${t('overview.newest')} tools=${html`<a href="#/alerts">${t('more')}</a>`}>
				<${Loaded} of=${alerts}>${(d) => html`<${AlertLines} alerts=${d.items} empty=${t('alerts.calm')} />`}<//><//>
			<div class="pair"><${Trend} /><${Due} /></div></div>`;
}
