/* Models: versions, how good they are, which one serves, and whether its inputs drift. */
import {call, may} from '../api.js';
import {dateTime, number, t, words} from '../i18n.js';
import {useLoad} from '../load.js';
import {hrefWith, setQuery} from '../router.js';
import {Detail, Dialog, Loaded, Panel, Table, toast} from '../ui.js';
import {html, useState} from '../html.js';

const flat = (metrics) => Object.entries(metrics ?? {}).filter(([, v]) => typeof v === 'number');

function Drift({version}) {
	const load = useLoad(`/models/${encodeURIComponent(version)}/drift`);
	const columns = [
		{name: 'feature', label: t('models.feature'), sort: (f) => f.feature, cell: (f) => f.feature},
		{name: 'psi', label: 'PSI', number: true, sort: (f) => f.psi, cell: (f) => number(f.psi, 3)},
		{name: 'limit', label: t('models.limit'), number: true, cell: (f) => number(f.limit, 3)},
		{name: 'drifted', label: t('models.drift'), cell: (f) => f.drifted ? html`<span class="severity warning">⚠ ${t('models.drifted')}</span>` : t('models.steady')},
	];
	return html`<h3>${t('models.drift')}</h3><${Loaded} of=${load} empty=${t('models.no_drift')}>${(d) => html`<${Table} caption=${t('models.drift')}
		columns=${columns} rows=${d.items} keyOf=${(f) => f.feature} />`}<//>`;
}

function Card({version}) {
	const load = useLoad(`/models/${encodeURIComponent(version)}`, {}, {fixed: true});
	return html`<${Detail} title=${version} onClose=${() => setQuery({version: ''})}>
		<${Loaded} of=${load}>${(m) => html`<dl class="pairs">${flat(m.metrics).map(([k, v]) => html`<dt>${words('metric', k)}</dt><dd>${number(v, Math.abs(v) < 10 ? 3 : 0)}</dd>`)}</dl>`}<//>
		<${Drift} version=${version} /><//>`;
}

export function Models({who, query}) {
	const load = useLoad('/models', {run: undefined}), [asking, setAsking] = useState(null);
	const admin = may(who, 'admin');
	const columns = [
		{name: 'version', label: t('models.version'), code: true, cell: (m) => html`<a href=${hrefWith({version: m.version})}>${m.version}</a>`},
		{name: 'status', label: t('status'), cell: (m) => html`<span class="tag ${m.status === 'production' ? 'good' : ''}">${words('model', m.status)}</span>`},
		{name: 'trained', label: t('models.trained'), cell: (m) => html`<span class="whole">${dateTime(m.trained_at)}</span>`},
		{name: 'promoted', label: t('models.promoted'), small: true, cell: (m) => html`<span class="whole">${dateTime(m.promoted_at)}</span>`},
		{name: 'metrics', label: t('models.metrics'), small: true, cell: (m) => flat(m.metrics).slice(0, 4).map(([k, v]) => `${words('metric', k)} ${number(v, Math.abs(v) < 10 ? 2 : 0)}`).join(', ')},
		{name: 'do', label: html`<span class="hidden">${t('users.actions')}</span>`, cell: (m) => admin && m.status !== 'production' &&
			html`<button onClick=${() => setAsking(m.version)}>${t('models.promote')}</button>`},
	];
	const done = async () => {
		await call('POST', asking === true ? '/models/rollback' : `/models/${encodeURIComponent(asking)}/promote`, {});
		toast(t('models.done'));
		load.reload();
	};
	return html`<div class="title"><h1>${t('page.models')}</h1><span class="space"></span>
			${admin && html`<button onClick=${() => setAsking(true)}>${t('models.rollback')}</button>`}</div>
		<div class=${query.version ? 'grid halves' : 'grid'}>${query.version && html`<${Card} key=${query.version} version=${query.version} />`}
			<${Panel} label=${t('page.models')}><${Loaded} of=${load} empty=${t('models.none')}>${(d) => html`<${Table} caption=${t('page.models')}
				columns=${columns} rows=${d.items} keyOf=${(m) => m.version} />`}<//><//></div>
		${asking && html`<${Dialog} title=${t(asking === true ? 'models.rollback' : 'models.promote')} done=${t(asking === true ? 'models.rollback' : 'models.promote')}
			onDone=${done} onClose=${() => setAsking(null)}><p>${asking === true ? t('models.rollback_ask') : t('models.promote_ask', {version: asking})}</p><//>`}`;
}
