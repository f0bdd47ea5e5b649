/* The fleet: sites side by side, replacements to come, reports and tables to take away. */
import {call} from '../api.js';
import {number, t} from '../i18n.js';
import {useLoad} from '../load.js';
import {setQuery} from '../router.js';
import {Boxes, Quarters} from '../plots.js';
import {Age, Choice, Loaded, messageOf, Panel, Table, toast} from '../ui.js';
import {BatteryTable} from './batterytable.js';
import {html} from '../html.js';

const METRICS = {soh: 1, rul: 0, temperature: 1, resistance: 2, voltage: 2, autonomy: 0};
const TABLES = ['batteries', 'alerts', 'forecast'];

/* A file needs the token that only this page has: fetched here, then handed over. */
async function take(path, name, type, open) {
	try {
		const url = URL.createObjectURL(new Blob([await call('GET', path)], {type}));
		if (open) {
			window.open(url, '_blank', 'noopener');
		} else {
			const a = document.createElement('a');
			a.href = url;
			a.download = name;
			a.click();
		}
		setTimeout(() => URL.revokeObjectURL(url), 60e3);
	} catch (e) {
		toast(messageOf(e), 'critical');
	}
}

function Compare({metric}) {
	const load = useLoad('/fleet/compare', {metric});
	return html`<${Panel} title=${t('fleet.compare')} tools=${html`<${Choice} label=${t('fleet.metric')} value=${metric}
			onChange=${(m) => setQuery({metric: m})} options=${Object.keys(METRICS).map((m) => [m, t(m)])} />`}>
		<${Loaded} of=${load} empty=${t('nothing')}>${(d) => html`<${Boxes} items=${d.items} unit=${d.unit} digits=${METRICS[metric]}
			label=${`${t('fleet.compare')}: ${t(metric)}, ${d.unit}`} /><p class="small muted">${t(metric)}, ${d.unit}. ${t('fleet.boxes')}</p>`}<//><//>`;
}

function Forecast() {
	const load = useLoad('/fleet/forecast', {months: 36});
	const columns = [
		{name: 'quarter', label: t('forecast.quarter'), code: true, cell: (q) => q.quarter},
		{name: 'due', label: t('forecast.due'), number: true, cell: (q) => number(q.due)},
		{name: 'worst', label: t('forecast.worst'), number: true, cell: (q) => number(q.due_by_lower)},
	];
	const withSites = (items) => [...columns, ...[...new Set(items.flatMap((q) => q.by_site.map((s) => s.site)))].sort().map((site) => ({
		name: site, label: site, number: true, small: true,
		cell: (q) => number(q.by_site.find((s) => s.site === site)?.due || null)}))];
	return html`<${Panel} title=${t('overview.forecast')}><${Loaded} of=${load} empty=${t('nothing')}>${(d) => html`
		<${Quarters} items=${d.items} label=${t('overview.forecast')} /><p class="small muted">${t('forecast.legend')}</p>
		<${Table} caption=${t('overview.forecast')} columns=${withSites(d.items)} rows=${d.items} keyOf=${(q) => q.quarter} />`}<//><//>`;
}

function Reports() {
	const load = useLoad('/reports', {}, {fixed: true});
	return html`<${Panel} title=${t('fleet.reports')}><${Loaded} of=${load} empty=${t('nothing')}>${(d) => html`<ul class="list sparse">${d.items.map((r) =>
			html`<li key=${r.url}><span class="tag">${t(`report.${r.kind}`)}</span><span>${r.month ?? ''}</span>
				<button onClick=${() => take(r.url.replace('/api/v1', ''), '', 'text/html', true)}>${t('open')}</button></li>`)}</ul>`}<//>
		<h3>${t('fleet.tables')}</h3><div class="group">${TABLES.map((name) => html`<button key=${name}
			onClick=${() => take(`/export/${name}`, `${name}.csv`, 'text/csv')}>${t(`export.${name}`)}</button>`)}
			<button onClick=${() => print()}>${t('print')}</button></div><//>`;
}

export function Fleet({query}) {
	const summary = useLoad('/fleet/summary');
	return html`<div class="title"><h1>${t('page.fleet')}</h1><span class="space"></span><${Age} of=${summary.data?.as_of} /></div>
		<div class="grid wide"><${Compare} metric=${METRICS[query.metric] === undefined ? 'soh' : query.metric} /><${Forecast} /></div>
		<div class="below"><${Reports} /></div>
		<${Panel} title=${t('batteries')}><${BatteryTable} path="/batteries" query=${query} /><//>`;
}
