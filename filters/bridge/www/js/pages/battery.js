/* A battery: what it is, how it is, how it was, how long it will last and why. */
import {call, may, run} from '../api.js';
import {date, dateTime, days, number, t, withUnit, words} from '../i18n.js';
import {useRoom} from '../live.js';
import {useCalm, useLoad} from '../load.js';
import {setQuery} from '../router.js';
import {TimeChart} from '../chart.js';
import {Factors, Lives} from '../plots.js';
import {Age, Choice, Dialog, ESTIMATE_STALE_MS, Loaded, Panel, reasonsOf, siteHref, Status, toast, useNow, Value} from '../ui.js';
import {noteOf} from '../told.js';
import {AlertLines} from './alertlist.js';
import {html, useEffect, useMemo, useState} from '../html.js';

const DAY_MS = 86400e3, POINTS = 600, LIMIT = 1000, RING = 4000, SOON = 1500;
const SPANS = {'24h': 1, '7d': 7, '30d': 30, '90d': 90, '1y': 365};
const FLAGS = ['conflict', 'fallback', 'out_of_range', 'starved', 'model_missing'];

function Latest({b}) {
	return html`<div class="grid values">
		<${Value} label=${t('voltage')} value=${b.voltage_v} digits=${3} unit="V" of=${b.sampled} note=${words('mode', b.mode)} />
		<${Value} label=${t('current')} value=${b.current_a} digits=${2} unit="A" of=${b.sampled} />
		<${Value} label=${t('temperature')} value=${b.temperature_c} digits=${1} unit="°C" of=${b.sampled} />
		<${Value} label=${t('resistance')} value=${b.resistance_mohm} digits=${2} unit="mΩ" of=${b.sampled} />
		<${Value} label=${t('soc')} value=${b.soc_pct} digits=${1} unit="%" of=${b.estimated} limit=${ESTIMATE_STALE_MS} />
		<${Value} label=${t('soh')} value=${b.soh_pct} digits=${1} unit="%" of=${b.estimated} limit=${ESTIMATE_STALE_MS} note=${b.soh_std_pct !== null && `± ${number(b.soh_std_pct, 1)}`} />
		<${Value} label=${t('autonomy')} value=${b.autonomy_min} digits=${0} unit=${t('minutes')} of=${b.estimated} limit=${ESTIMATE_STALE_MS} /></div>`;
}

function Plate({b}) {
	const now = useNow();
	const age = b.installed ? (now - Date.parse(b.installed)) / DAY_MS : null;
	const over = b.warranty_until && Date.parse(b.warranty_until) < now;
	return html`<${Panel} title=${t('battery.plate')}><dl class="pairs">
		<dt>${t('battery.model')}</dt><dd>${b.model ?? '–'}</dd>
		<dt>${t('battery.serial')}</dt><dd>${b.serial ?? '–'}</dd>
		<dt>${t('battery.installed')}</dt><dd>${date(b.installed)} · ${days(age)}</dd>
		<dt>${t('battery.warranty')}</dt><dd>${date(b.warranty_until)} ${over && html`<span class="tag">${t('battery.over')}</span>`}</dd>
		<dt>${t('battery.unit')}</dt><dd>${number(b.unit)}</dd>
		<dt>${t('string')}</dt><dd><a href=${`${siteHref(b.location)}?view=strings&string=${b.string}`}>${b.string}</a></dd></dl><//>`;
}

/* The newest estimate of each source. */
function newestOf(items) {
	const by = {};
	for (const i of items) if (!by[i.source] || i.ts > by[i.source].ts) by[i.source] = i;
	return ['fused', 'ml', 'twin'].filter((s) => by[s]).map((s) => ({...by[s], name: s}));
}

function Life({load, status}) {
	return html`<${Panel} title=${t('battery.rul')}><${Loaded} of=${load}>${(d) => {
		const sources = newestOf(d.items), best = sources[0];
		if (!best) return html`<p class="muted">${t('battery.no_rul')}</p>`;
		const flags = FLAGS.filter((_, bit) => best.flags & 1 << bit);
		const factors = (sources.find((s) => s.factors?.length) ?? best).factors ?? [];
		return html`<p class="headline ${status}"><b>${days(best.rul_days)}</b> ${best.upper_days > 0 && html`<span class="muted">${t('battery.interval',
				{from: days(best.lower_days), to: days(best.upper_days)})}</span>`} <${Age} of=${best.ts} calm=${true} /></p>
			${flags.length > 0 && html`<p>${flags.map((f) => html`<span key=${f} class="tag strong" title=${t(`flag.${f}.why`)}>${t(`flag.${f}`)}</span> `)}</p>`}
			<${Lives} sources=${sources} label=${t('battery.rul')} />
			<p class="small muted">${t('battery.lives')}</p>
			<dl class="pairs"><dt>${t('battery.p30')}</dt><dd>${withUnit(best.p_fail_30d * 100, 1, '%')}</dd>
				<dt>${t('battery.p90')}</dt><dd>${withUnit(best.p_fail_90d * 100, 1, '%')}</dd>
				<dt>${t('battery.replace_by')}</dt><dd>${date(best.replace_by)}</dd></dl>
			${factors.length > 0 && html`<h3>${t('battery.why')}</h3><${Factors} factors=${factors} label=${t('battery.why')} />`}`;
	}}<//><//>`;
}

const marksOf = (events, alerts) => [
	...events.map((e) => ({from: Date.parse(e.ts), to: e.end_ts && Date.parse(e.end_ts), colour: '--watch',
		label: `${t(`event.${e.type}`)} ${dateTime(e.ts)}`})),
	...alerts.map((a) => ({from: Date.parse(a.since ?? a.ts), to: a.resolved && Date.parse(a.resolved),
		colour: a.severity === 'critical' ? '--critical' : '--warning', label: `${words('rule', a.rule)} ${dateTime(a.since ?? a.ts)}`}))]
	.filter((m) => Number.isFinite(m.from)).sort((a, b) => a.from - b.from);

const column = (items, name, bands) => items.filter((i) => i[`${name}`] !== null)
	.map((i) => [Date.parse(i.ts), i[name], ...(bands ? bands(i) : [])]);

/* Measured quantities of one chart each. */
const QUANTITIES = [
	{name: 'voltage', field: 'voltage_v', unit: 'V', digits: 2, bands: (i) => [i.voltage_min_v, i.voltage_max_v]},
	{name: 'temperature', field: 'temperature_c', unit: '°C', digits: 1, bands: (i) => [i.temperature_min_c, i.temperature_max_c]},
	{name: 'current', field: 'current_a', unit: 'A', digits: 2, bands: (i) => [i.current_min_a, i.current_max_a]},
	{name: 'resistance', field: 'resistance_mohm', unit: 'mΩ', digits: 2},
];

/* What came over the feed since the answer: a ring, joined at its end. */
function useTail(code) {
	const [tail, setTail] = useState([]);
	useRoom('battery', code, (m) => m.type === 'telemetry_update' && m.battery === code && setTail((r) => [...r, {
		ts: m.ts, voltage_v: m.voltage_v, voltage_min_v: m.voltage_v, voltage_max_v: m.voltage_v,
		current_a: m.current_a, current_min_a: m.current_a, current_max_a: m.current_a, temperature_c: m.temperature_c,
		temperature_min_c: m.temperature_c, temperature_max_c: m.temperature_c, resistance_mohm: m.resistance_mohm}].slice(-RING)));
	return tail;
}

function Measured({code, span, other, tail, marks, onSpan}) {
	const query = {start: new Date(span.from).toISOString(), end: new Date(span.to).toISOString(), limit: POINTS};
	const own = useLoad(`/batteries/${code}/telemetry`, query);
	const beside = useLoad(other ? `/batteries/${other}/telemetry` : null, query);
	const stepMs = (span.to - span.from) / POINTS;
	const items = useMemo(() => {
		const got = own.data?.items ?? [], last = got.at(-1)?.ts ?? '';
		return [...got, ...tail.filter((i) => i.ts > last)];
	}, [own.data, tail]);
	const charts = useMemo(() => QUANTITIES.map((q) => {
		const series = [{name: code.split('-').at(-1), colour: '--accent', band: !!q.bands, points: column(items, q.field, q.bands)}];
		if (other) series.push({name: other.split('-').at(-1), colour: '--warning', dash: [5, 4], points: column(beside.data?.items ?? [], q.field)});
		return series;
	}), [items, beside.data, other]);
	return html`${own.error && html`<${Loaded} of=${own}>${() => null}<//>`}
		<div class="grid halves">${QUANTITIES.map((q, k) => html`<${Panel} key=${q.name} title=${`${t(q.name)}, ${q.unit}`}>
			<${TimeChart} label=${t(q.name)} unit=${q.unit} digits=${q.digits} from=${span.from} to=${span.to} stepMs=${stepMs}
				series=${charts[k]} marks=${marks} sync="battery" onSpan=${onSpan} /><//>`)}</div>`;
}

function Estimated({code, span, marks, onSpan}) {
	const load = useLoad(`/batteries/${code}/twin`, {start: new Date(span.from).toISOString(), end: new Date(span.to).toISOString(), resolution: `${Math.ceil((span.to - span.from) / POINTS / 1000)}s`, limit: LIMIT});
	const series = useMemo(() => {
		const items = load.data?.items ?? [];
		return [{name: t('soc'), colour: '--healthy', dash: [5, 4], points: column(items, 'soc_pct')},
			{name: t('soh'), colour: '--accent', band: true, points: column(items, 'soh_pct',
				(i) => [i.soh_pct - 1.645 * i.soh_std_pct, i.soh_pct + 1.645 * i.soh_std_pct])}];
	}, [load.data]);
	const stepMs = (span.to - span.from) / POINTS;
	return html`<${Panel} title=${t('battery.estimated')}><${Loaded} of=${load}>${() => html`<${TimeChart} label=${t('battery.estimated')}
		unit="%" digits=${1} from=${span.from} to=${span.to} stepMs=${stepMs} series=${series} marks=${marks} limits=${[80]}
		sync="battery" onSpan=${onSpan} />`}<//><//>`;
}

function Overlay({b, value}) {
	const load = useLoad(b.string ? `/strings/${b.string}` : null, {}, {fixed: true});
	return html`<label>${t('battery.overlay')}<select value=${value ?? ''} onChange=${(e) => setQuery({beside: e.target.value})}>
		<option value="">–</option>${(load.data?.items ?? []).filter((j) => j.id !== b.id).map((j) => html`<option key=${j.id} value=${j.id}>${j.id}</option>`)}</select></label>`;
}

function Charts({b, query, tail}) {
	const preset = SPANS[query.span] ? query.span : '24h';
	/* The newest there is, to a minute, so that a chart of old data is not empty. */
	const end = useMemo(() => Math.ceil(((b.sampled && Date.parse(b.sampled)) || Date.now()) / 60e3 + 1) * 60e3, [b.id]);
	const [zoom, setZoom] = useState(null);
	const last = tail.at(-1)?.ts, to = last ? Math.max(end, Math.ceil(Date.parse(last) / 60e3 + 1) * 60e3) : end;
	const span = zoom ?? {from: to - SPANS[preset] * DAY_MS, to};
	const events = useLoad(`/batteries/${b.id}/events`, {start: new Date(span.from).toISOString(), limit: 200});
	const alerts = useLoad('/alerts', {subject: b.id, limit: 100});
	const marks = useMemo(() => marksOf(events.data?.items ?? [], alerts.data?.items ?? []), [events.data, alerts.data]);
	const onSpan = (from, till) => setZoom(from === null ? null : {from: Math.round(from), to: Math.round(till)});
	const shift = (d) => onSpan(span.from + (span.to - span.from) * d, span.to + (span.to - span.from) * d);
	return html`<div class="tools"><${Choice} label=${t('span')} value=${zoom ? null : preset}
			onChange=${(v) => { setZoom(null); setQuery({span: v}); }} options=${Object.keys(SPANS).map((k) => [k, t(`span.${k}`)])} />
		<div class="group"><button aria-label=${t('chart.earlier')} onClick=${() => shift(-0.5)}>‹</button>
			<button aria-label=${t('chart.later')} onClick=${() => shift(0.5)}>›</button>
			${zoom && html`<button onClick=${() => setZoom(null)}>${t('chart.reset')}</button>`}</div>
		<${Overlay} b=${b} value=${query.beside} /><span class="small muted">${dateTime(span.from)} – ${dateTime(span.to)}</span>
		<span class="legend"><span><i class="mark event"></i>${t('events')}</span><span><i class="mark alarm"></i>${t('page.alerts')}</span></span></div>
		<${Measured} code=${b.id} span=${span} other=${query.beside} tail=${zoom ? [] : tail} marks=${marks} onSpan=${onSpan} />
		<div class="grid halves"><${Estimated} code=${b.id} span=${span} marks=${marks} onSpan=${onSpan} />
			<${Panel} title=${t('events')}><${Loaded} of=${events} empty=${t('nothing')}>${(d) => html`<ul class="list sparse">${d.items.slice(0, 12).map((e) =>
				html`<li key=${e.event_id}><span class="tag">${t(`event.${e.type}`)}</span><span>${e.subject} ${noteOf(e)}</span>
					<time>${dateTime(e.ts)}</time></li>`)}</ul>`}<//><//></div>`;
}

function Replace({b, onDone}) {
	const [open, setOpen] = useState(false);
	return html`<button onClick=${() => setOpen(true)}>${t('battery.replace')}</button>
		${open && html`<${Dialog} title=${t('battery.replace')} done=${t('battery.replace')} danger=${true} onClose=${() => setOpen(false)}
			onDone=${async (v) => {
				const body = Object.fromEntries(Object.entries(v).filter(([, x]) => x));
				if (body.installed) body.installed = new Date(body.installed).toISOString();
				await call('POST', `/batteries/${b.id}/replace`, body);
				toast(t('battery.replaced'));
				onDone();
			}}><p>${t('battery.replace_ask', {code: b.id})}</p>
			<label>${t('battery.serial')}<input name="serial" maxlength="60" /></label>
			<label>${t('battery.installed')}<input name="installed" type="datetime-local" /></label>
			<label>${t('alert.note')}<input name="note" maxlength="500" /></label><//>`}`;
}

function History({code}) {
	const load = useLoad('/alerts', {subject: code, limit: 20});
	return html`<${Panel} title=${t('battery.alerts')}><${Loaded} of=${load}>${(d) => html`<div class="scroll tall" tabindex="0" role="region"
		aria-label=${t('battery.alerts')}><${AlertLines} alerts=${d.items} own=${true} /></div>`}<//><//>`;
}

export function Battery({parts, query, who}) {
	const code = parts[1];
	const load = useLoad(`/batteries/${code}`), life = useLoad(`/batteries/${code}/rul`, {resolution: '1d'});
	const tail = useTail(code);
	const [now, setNow] = useState({});
	const soon = useCalm(() => {
		load.reload();
		life.reload();
	}, SOON);
	useRoom('battery', code, (m) => {
		if (m.battery && m.battery !== code) return;
		if (m.type === 'telemetry_update') setNow({sampled: m.ts, voltage_v: m.voltage_v, current_a: m.current_a, temperature_c: m.temperature_c, mode: m.mode});
		else soon();
	});
	useEffect(() => setNow({}), [load.data]);
	return html`<${Loaded} of=${load}>${(d) => {
		const b = {...d, ...now};
		return html`<div class="title"><h1>${code}</h1><${Status} of=${b.status ?? 'unknown'} />
				<span class="muted">${reasonsOf(b.reasons).join(' · ')}</span><span class="space"></span>
				${may(who, 'engineer') && !run.get() && html`<${Replace} b=${b} onDone=${load.reload} />`}
				<a href=${siteHref(b.location)}>${b.location}</a></div>
			<${Latest} b=${b} />
			<div class="grid thirds"><${Life} load=${life} status=${b.status ?? 'unknown'} />
				<div class="stack"><${History} code=${code} /><${Plate} b=${b} /></div></div>
			<${Charts} b=${d} query=${query} tail=${tail} />`;
	}}<//>`;
}
