/* A site: how it is, its batteries, its strings jar by jar. */
import {date, number, t, withUnit, words} from '../i18n.js';
import {useRoom} from '../live.js';
import {useCalm, useLoad} from '../load.js';
import {setQuery} from '../router.js';
import {TimeChart} from '../chart.js';
import {Age, batteryHref, Choice, ESTIMATE_STALE_MS, Loaded, Panel, Shape, Status, Value} from '../ui.js';
import {noteOf} from '../told.js';
import {BatteryTable} from './batterytable.js';
import {AlertLines} from './alertlist.js';
import {healthOf} from './overview.js';
import {html, useEffect, useMemo, useState} from '../html.js';

const SOON = 1500, FRAME_MS = 1000, DAY_MS = 86400e3, ENVIRONMENT_POINTS = 200, WEEK = 7;

function Climate({weather: w, site: s}) {
	return html`<div class="grid values">
		<${Value} label=${t('site.room')} value=${w?.temperature_mean_c} digits=${1} unit="°C" of=${w?.ts} note=${w && withUnit(w.humidity_pct, 0, '%')} />
		<${Value} label=${t('site.outdoor')} value=${w?.outdoor_temperature_c} digits=${1} unit="°C" of=${w?.ts} />
		<div class="panel value"><span class="small muted">${t('site.hvac')}</span>
			<b class=${w?.hvac === 'fault' ? 'critical' : w?.hvac === 'degraded' ? 'warning' : ''}>${w?.hvac ? words('hvac', w.hvac) : '–'}</b>
			<span class="small muted"><${Age} of=${w?.ts} brief=${true} /></span></div>
		<${Value} label=${t('overview.soh')} value=${s.mean_soh_pct} digits=${1} unit="%" of=${s.last_state} limit=${ESTIMATE_STALE_MS} />
		<div class="panel value"><span class="small muted">${t('overview.critical')}</span>
			<b class=${s.critical ? 'critical' : ''}>${number(s.critical)}</b><span class="small muted note"><span>${t('site.of', {n: number(s.batteries)})}</span><${Age} of=${s.last_state} brief=${true} limit=${ESTIMATE_STALE_MS} /></span></div></div>`;
}

function Facts({site: s}) {
	return html`<${Panel} title=${t('site.facts')}><dl class="pairs">
		<dt>${t('site.city')}</dt><dd>${s.city}, ${words('region', s.region)}</dd>
		<dt>${t('site.since')}</dt><dd>${date(s.commissioned)}</dd>
		<dt>${t('batteries')}</dt><dd>${number(s.batteries)}</dd></dl><//>`;
}

function Weather({load}) {
	const chart = useMemo(() => {
		const items = load.data?.items ?? [];
		const rooms = new Map(), outside = [];
		for (const i of items) {
			const ms = Date.parse(i.ts);
			if (!rooms.has(i.sensor)) rooms.set(i.sensor, []);
			rooms.get(i.sensor).push([ms, i.temperature_mean_c, i.temperature_min_c, i.temperature_max_c]);
			if (rooms.size === 1 && i.outdoor_temperature_c !== null) outside.push([ms, i.outdoor_temperature_c]);
		}
		const colours = ['--accent', '--healthy', '--failed', '--watch'];
		const series = [...rooms].slice(0, 4).map(([name, points], k) =>
			({name: name.replace(/^.*?-(?=[^-]+$)/, ''), colour: colours[k], points, band: true}));
		return outside.length ? [...series, {name: t('site.outdoor'), colour: '--warning', dash: [5, 4], points: outside}] : series;
	}, [load.data]);
	const all = chart.flatMap((s) => s.points.map((p) => p[0]));
	if (all.length === 0) return html`<p class="muted">${t('nothing')}</p>`;
	const from = Math.min(...all), to = Math.max(...all);
	return html`<${TimeChart} label=${t('site.weather')} unit="°C" digits=${1} from=${from} to=${Math.max(to, from + 1)}
		stepMs=${WEEK * DAY_MS / ENVIRONMENT_POINTS * 1.5} series=${chart} />`;
}

/* A jar with the distance of its voltage from its string's mean. */
function Jar({b, mean}) {
	const off = b.voltage_v === null || mean === null ? null : b.voltage_v - mean;
	const part = off === null ? 0 : Math.min(Math.abs(off) / 0.4, 1) * 50;
	return html`<a class="jar ${b.status ?? 'unknown'}" href=${batteryHref(b.id)}
		title=${`${b.id}: ${t(`status.${b.status ?? 'unknown'}`)}${off === null ? '' : `, ${number(off * 1000)} mV`}`}>
		<b>J${String(b.position).padStart(2, '0')}<span class=${b.status ?? 'unknown'}><${Shape} of=${b.status ?? 'unknown'} /></span></b>
		<span>${withUnit(b.voltage_v, 2, 'V')}</span><span>${withUnit(b.temperature_c, 1, '°C')}</span>
		<span class="muted">${withUnit(b.soh_pct, 0, '%')}</span>
		<span class="deviation" aria-hidden="true"><i style=${off < 0 ? {right: '50%', width: `${part}%`} : {left: '50%', width: `${part}%`}}></i></span></a>`;
}

function StringView({code, live}) {
	const load = useLoad(`/strings/${code}`);
	return html`<${Panel} title=${code}><${Loaded} of=${load} empty=${t('nothing')}>${(d) => {
		const jars = d.items.map((b) => live[b.id] ? {...b, ...live[b.id]} : b);
		const volts = jars.map((b) => b.voltage_v).filter((v) => v !== null);
		const sum = volts.reduce((a, v) => a + v, 0), mean = volts.length ? sum / volts.length : null;
		const newest = jars.map((b) => b.sampled).filter(Boolean).sort().at(-1);
		return html`<p class="small">${t('string.sum', {v: number(sum, 1), mean: number(mean, 3),
			spread: number(volts.length ? (Math.max(...volts) - Math.min(...volts)) * 1000 : null),
			a: number(jars[0]?.current_a, 2), mode: words('mode', jars[0]?.mode)})} <${Age} of=${newest} /></p>
			<div class="jars">${jars.map((b) => html`<${Jar} key=${b.id} b=${b} mean=${mean} />`)}</div>`;
	}}<//><//>`;
}

function Strings({site, wanted, live}) {
	const systems = useLoad(`/locations/${site}/systems`, {limit: 1000}, {fixed: true});
	const codes = (systems.data?.items ?? []).flatMap((s) => Array.from({length: s.strings}, (_, i) => `${s.id}-S${i + 1}`));
	const shown = codes.includes(wanted) ? wanted : codes[0];
	return html`<div class="tools"><label>${t('string')}<select value=${shown} onChange=${(e) => setQuery({string: e.target.value})}>
			${codes.map((c) => html`<option key=${c} value=${c}>${c}</option>`)}</select></label></div>
		${shown && html`<${StringView} key=${shown} code=${shown} live=${live} />`}`;
}

function Events({site}) {
	const load = useLoad(`/locations/${site}/events`, {limit: 12});
	return html`<${Panel} title=${t('events')}><${Loaded} of=${load} empty=${t('nothing')}>${(d) => html`<ul class="list sparse">${d.items.map((e) =>
		html`<li key=${e.event_id}><span class="tag">${t(`event.${e.type}`)}</span><span>${e.subject} ${noteOf(e)}</span>
			<${Age} of=${e.ts} calm=${true} /></li>`)}</ul>`}<//><//>`;
}

/* The newest sample of each battery, taken over once a second however many come. */
function useLiveBatteries(site, onOther) {
	const [live, setLive] = useState({});
	const fresh = useMemo(() => new Map(), [site]);
	useRoom('location', site, (m) => {
		if (m.type === 'telemetry_update')
			fresh.set(m.battery, {sampled: m.ts, voltage_v: m.voltage_v, current_a: m.current_a,
				temperature_c: m.temperature_c, mode: m.mode, ...(m.resistance_mohm !== null && {resistance_mohm: m.resistance_mohm})});
		else if (m.type === 'battery_status_update')
			fresh.set(m.battery, {...fresh.get(m.battery), status: m.status, reasons: m.reasons});
		else onOther(m);
	});
	useEffect(() => {
		const timer = setInterval(() => {
			if (fresh.size === 0) return;
			const now = Object.fromEntries(fresh);
			fresh.clear();
			setLive((l) => {
				const all = {...l};
				for (const [k, v] of Object.entries(now)) all[k] = {...all[k], ...v};
				return all;
			});
		}, FRAME_MS);
		return () => clearInterval(timer);
	}, [fresh]);
	return live;
}

export function Site({parts, query}) {
	const code = parts[1], view = query.view ?? 'table';
	const site = useLoad(`/locations/${code}`);
	const alerts = useLoad('/alerts', {location: code, active_only: true, limit: 5});
	/* A week up to the newest there is, to a day: the address of what is asked stays the same. */
	const newestDay = site.data && Math.floor((Date.parse(site.data.last_state) || Date.now()) / DAY_MS);
	const weather = useLoad(newestDay ? `/locations/${code}/environment` : null,
		{start: newestDay && new Date((newestDay - WEEK + 1) * DAY_MS).toISOString(), limit: ENVIRONMENT_POINTS});
	const [turn, setTurn] = useState(0);
	const soon = useCalm(() => {
		site.reload();
		alerts.reload();
		setTurn((n) => n + 1);
	}, SOON);
	const live = useLiveBatteries(code, soon);
	const newest = weather.data?.items?.at(-1);
	return html`<div class="title"><h1>${code}</h1>${site.data && html`<${Status} of=${healthOf(site.data)} />
			<span class="muted">${site.data.name}</span>`}<span class="space"></span><a href="#/">${t('page.overview')}</a></div>
		<${Loaded} of=${site}>${(s) => html`<${Climate} site=${s} weather=${newest} /><div class="grid thirds">
			<${Panel} title=${t('overview.alerts')} tools=${html`<a href="#/alerts?location=${code}">${t('more')}</a>`}>
				<${Loaded} of=${alerts}>${(d) => html`<${AlertLines} alerts=${d.items} empty=${t('alerts.calm')} />`}<//><//><${Facts} site=${s} /></div>`}<//>
		<div class="tools"><${Choice} label=${t('view')} value=${view} onChange=${(v) => setQuery({view: v})}
			options=${[['table', t('view.table')], ['strings', t('view.strings')], ['weather', t('view.weather')]]} /></div>
		${view === 'table' && html`<${Panel} label=${t('batteries')}><${BatteryTable} path=${`/locations/${code}/batteries`} site=${code}
			query=${query} live=${live} reloads=${turn} /><//>`}
		${view === 'strings' && html`<${Strings} site=${code} wanted=${query.string} live=${live} />`}
		${view === 'weather' && html`<div class="grid halves"><${Panel} title=${t('site.weather')}><${Loaded} of=${weather}>${() =>
			html`<${Weather} load=${weather} />`}<//><//><${Events} site=${code} /></div>`}`;
}
