/* Alerts and incidents: what is wrong, and who deals with it. */
import {act} from '../actions.js';
import {may} from '../api.js';
import {dateTime, number, t, withUnit, words} from '../i18n.js';
import {useRoom} from '../live.js';
import {useCalm, useLoad} from '../load.js';
import {hrefWith, setQuery} from '../router.js';
import {Age, Choice, Detail, Dialog, Loaded, Pager, Panel, Severity, Status, subjectHref, Table, toast, useNarrow} from '../ui.js';
import {figuresOf, messageOfAlert, titleOf} from '../told.js';
import {AlertActions, alertColumns, AlertLines, Handling} from './alertlist.js';
import {html, useState} from '../html.js';

const LIMIT = 50, SOON = 1500;
const FILTERS = ['location', 'severity', 'type', 'from', 'until', 'all'];
const dayStart = (d) => d ? new Date(`${d}T00:00:00`).toISOString() : undefined;
const dayEnd = (d) => d ? new Date(new Date(`${d}T00:00:00`).getTime() + 86400e3).toISOString() : undefined;

function Filters({query, sites, types}) {
	const select = (name, label, options) => html`<label>${label}<select value=${query[name] ?? ''}
		onChange=${(e) => setQuery({[name]: e.target.value})}><option value="">${t('filter.all')}</option>
		${options.map(([v, l]) => html`<option key=${v} value=${v}>${l}</option>`)}</select></label>`;
	const day = (name) => html`<label>${t(`alert.${name}`)}<input type="date" value=${query[name] ?? ''}
		onChange=${(e) => setQuery({[name]: e.target.value})} /></label>`;
	return html`<div class="tools">${select('location', t('site'), sites.map((s) => [s.id, s.id]))}
		${select('severity', t('severity'), ['critical', 'warning', 'info'].map((s) => [s, t(`severity.${s}`)]))}
		${select('type', t('alert.type'), types.map((r) => [r, words('rule', r)]))}
		${day('from')}${day('until')}
		<label class="check"><input type="checkbox" checked=${query.all === '1'} onChange=${(e) => setQuery({all: e.target.checked ? '1' : ''})} />
			${t('alerts.past')}</label></div>`;
}

/* The battery an alert is about, as it is now. */
function Context({subject}) {
	const load = useLoad(/-J\d+$/.test(subject) ? `/batteries/${subject}` : null);
	if (!load.data) return null;
	const b = load.data;
	return html`<h3>${t('alert.context')}</h3><dl class="pairs"><dt>${t('status')}</dt><dd><${Status} of=${b.status ?? 'unknown'} /></dd>
		<dt>${t('voltage')}</dt><dd>${withUnit(b.voltage_v, 2, 'V')}</dd><dt>${t('temperature')}</dt><dd>${withUnit(b.temperature_c, 1, '°C')}</dd>
		<dt>${t('soh')}</dt><dd>${withUnit(b.soh_pct, 1, '%')}</dd><dt>${t('age')}</dt><dd><${Age} of=${b.sampled} /></dd></dl>`;
}

function Alert({id, who, onChange}) {
	const load = useLoad(`/alerts/${id}`);
	const soon = useCalm(load.reload, SOON);
	useRoom('fleet', null, (m) => (m.id === id || m.alert_id === id) && soon());
	const done = () => {
		load.reload();
		onChange();
	};
	return html`<${Detail} title=${t('alert.detail')} onClose=${() => setQuery({id: ''})}>
		<${Loaded} of=${load}>${(a) => html`<p><${Severity} of=${a.severity} /> ${messageOfAlert(a)}</p>
			<dl class="pairs"><dt>${t('alert.subject')}</dt><dd><a href=${subjectHref(a.subject)}>${a.subject}</a></dd>
			<dt>${t('alert.type')}</dt><dd>${words('rule', a.rule)}</dd>
			<dt>${t('alert.state')}</dt><dd>${t(`alert.state.${a.state}`)} <${Handling} alert=${a} /></dd>
			${figuresOf(a) && html`<dt>${t('alert.value')}</dt><dd>${figuresOf(a)}</dd>`}
			<dt>${t('alert.since')}</dt><dd>${dateTime(a.since)}</dd>
			${a.resolved && html`<dt>${t('alert.ended')}</dt><dd>${dateTime(a.resolved)}</dd>`}
			${a.acknowledged_at && html`<dt>${t('alert.acknowledged')}</dt><dd>${a.acknowledged_by}, ${dateTime(a.acknowledged_at)}: ${a.acknowledge_note ?? '–'}</dd>`}
			${a.incident_id && html`<dt>${t('incident')}</dt><dd><a href="#/alerts?view=incidents&incident=${a.incident_id}">${a.incident_id}</a></dd>`}</dl>
			<${Context} subject=${a.subject} /><p><${AlertActions} alert=${a} who=${who} onDone=${done} /></p>`}<//><//>`;
}

function AlertsView({query, who}) {
	const [skip, setSkip] = useState(0), narrow = useNarrow();
	const sites = useLoad('/locations', {limit: 1000}, {fixed: true}), stats = useLoad('/alerts/stats', {days: 90}, {fixed: true});
	const load = useLoad('/alerts', {location: query.location, severity: query.severity, type: query.type,
		active_only: query.all === '1' ? undefined : true, start_date: dayStart(query.from), end_date: dayEnd(query.until), skip, limit: LIMIT});
	const soon = useCalm(load.reload, SOON);
	useRoom('fleet', null, (m) => (m.type === 'alert' || m.type === 'action') && soon());
	return html`<${Filters} query=${query} sites=${sites.data?.items ?? []} types=${(stats.data?.by_rule ?? []).map((r) => r.rule).sort()} />
		<div class=${query.id ? 'grid detailed' : 'grid'}>
			${query.id && html`<${Alert} key=${query.id} id=${query.id} who=${who} onChange=${load.reload} />`}
			<${Panel} label=${t('page.alerts')}><${Loaded} of=${load} empty=${t(FILTERS.some((f) => query[f]) ? 'alerts.none' : 'alerts.calm')}>${(d) => html`
				<${Table} caption=${t('page.alerts')} columns=${alertColumns(narrow || !!query.id)} rows=${d.items} keyOf=${(a) => a.id}
					rowClass=${(a) => a.id === query.id ? 'selected' : ''} />
				<${Pager} skip=${skip} limit=${LIMIT} total=${d.total} onSkip=${setSkip} />`}<//><//></div>`;
}

function IncidentActions({incident: i, onDone}) {
	const [asking, setAsking] = useState(null);
	const fields = {assign: ['assignee'], cause: ['root_cause'], close: ['note']};
	return html`<div class="group">${Object.keys(fields).filter((k) => k !== 'close' || !i.closed_by).map((k) =>
			html`<button key=${k} onClick=${() => setAsking(k)}>${t(`incident.${k}`)}</button>`)}
		${asking && html`<${Dialog} title=${t(`incident.${asking}`)} done=${t('save')} onClose=${() => setAsking(null)}
			onDone=${async (v) => {
				const body = {...v, ...(asking === 'close' && {close: true})};
				if (await act('PATCH', `/incidents/${i.id}`, body)) toast(t('alert.done'));
				onDone();
			}}>${fields[asking].map((f) => html`<label key=${f}>${t(`incident.${f}`)}<input name=${f} maxlength="500" required=${f !== 'note'} /></label>`)}<//>`}</div>`;
}

function Incident({id, who, onChange}) {
	const load = useLoad(`/incidents/${id}`);
	const soon = useCalm(load.reload, SOON);
	useRoom('fleet', null, (m) => (m.id === id || m.incident_id === id || m.alert_id === id) && soon());
	const done = () => {
		load.reload();
		onChange();
	};
	return html`<${Detail} title=${t('incident')} onClose=${() => setQuery({incident: ''})}>
		<${Loaded} of=${load}>${(i) => html`<h3>${titleOf(i)}</h3><dl class="pairs">
			<dt>${t('incident.cause')}</dt><dd>${words('rule', i.cause)}</dd><dt>${t('alert.subject')}</dt><dd><a href=${subjectHref(i.subject)}>${i.subject}</a></dd>
			<dt>${t('severity')}</dt><dd><${Severity} of=${i.severity} /></dd><dt>${t('alert.state')}</dt><dd>${t(`incident.state.${i.state}`)}</dd>
			<dt>${t('incident.alerts')}</dt><dd>${number(i.alert_count)}</dd><dt>${t('incident.span')}</dt><dd>${dateTime(i.first)} – ${dateTime(i.last)}</dd>
			${i.assigned_to && html`<dt>${t('incident.assignee')}</dt><dd>${i.assigned_to}</dd>`}
			${i.root_cause && html`<dt>${t('incident.root_cause')}</dt><dd>${i.root_cause}</dd>`}
			${i.closed_by && html`<dt>${t('incident.closed')}</dt><dd>${i.closed_by}, ${dateTime(i.closed_at)}: ${i.note ?? '–'}</dd>`}</dl>
			${may(who, 'engineer') && html`<p><${IncidentActions} incident=${i} onDone=${done} /></p>`}
			<h3>${t('incident.alerts')}</h3><${AlertLines} alerts=${i.alerts.slice(0, 30)} />
			${i.alerts.length > 30 && html`<p class="muted">${t('incident.rest', {n: number(i.alerts.length - 30)})}</p>`}
			${i.children.length > 0 && html`<h3>${t('incident.children')}</h3><ul class="list">${i.children.map((c) =>
				html`<li key=${c.id}><${Severity} of=${c.severity} /><a href="#/alerts?view=incidents&incident=${c.id}">${titleOf(c)}</a><${Age} of=${c.first} calm=${true} /></li>`)}</ul>`}`}<//><//>`;
}

const incidentColumns = (brief = false) => [
	{name: 'severity', label: t('severity'), cell: (i) => html`<${Severity} of=${i.severity} />`},
	{name: 'title', label: t('incident'), cell: (i) => html`<a href=${hrefWith({incident: i.id})}>${titleOf(i)}</a>`},
	{name: 'subject', label: t('alert.subject'), small: true, cell: (i) => html`<a href=${subjectHref(i.subject)}>${i.subject}</a>`},
	{name: 'count', label: t('incident.alerts'), number: true, cell: (i) => number(i.alert_count)},
	{name: 'state', label: t('alert.state'), cell: (i) => html`${t(`incident.state.${i.state}`)} ${i.assigned_to && html`<span class="tag">→ ${i.assigned_to}</span>`}
		${i.closed_by && html`<span class="tag">✓ ${i.closed_by}</span>`}`},
	{name: 'first', label: t('alert.since'), cell: (i) => html`<${Age} of=${i.first} calm=${true} />`},
].filter((c) => !brief || !['subject', 'state'].includes(c.name));

function IncidentsView({query, who}) {
	const [skip, setSkip] = useState(0), narrow = useNarrow();
	const load = useLoad('/incidents', {top_only: true, active_only: query.all === '1' ? undefined : true, location: query.location, skip, limit: LIMIT});
	const soon = useCalm(load.reload, SOON);
	useRoom('fleet', null, (m) => m.type === 'incident' && soon());
	return html`<div class="tools"><label class="check"><input type="checkbox" checked=${query.all === '1'}
			onChange=${(e) => setQuery({all: e.target.checked ? '1' : ''})} />${t('alerts.past')}</label></div>
		<div class=${query.incident ? 'grid detailed' : 'grid'}>
			${query.incident && html`<${Incident} key=${query.incident} id=${query.incident} who=${who} onChange=${load.reload} />`}
			<${Panel} label=${t('incidents')}><${Loaded} of=${load} empty=${t(query.all === '1' ? 'incidents.never' : 'incidents.none')}>${(d) => html`
				<${Table} caption=${t('incidents')} columns=${incidentColumns(narrow || !!query.incident)} rows=${d.items} keyOf=${(i) => i.id}
					rowClass=${(i) => i.id === query.incident ? 'selected' : ''} />
				<${Pager} skip=${skip} limit=${LIMIT} total=${d.total} onSkip=${setSkip} />`}<//><//></div>`;
}

export function Alerts({query, who}) {
	const view = query.view ?? 'alerts';
	return html`<div class="title"><h1>${t('page.alerts')}</h1><span class="space"></span>
			<${Choice} label=${t('view')} value=${view} onChange=${(v) => setQuery({view: v, id: '', incident: ''})}
				options=${[['alerts', t('page.alerts')], ['incidents', t('incidents')]]} /></div>
		${view === 'alerts' ? html`<${AlertsView} query=${query} who=${who} />` : html`<${IncidentsView} query=${query} who=${who} />`}`;
}
