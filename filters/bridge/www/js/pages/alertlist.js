/* Alerts as rows, and what may be done with one: shared by several pages. */
import {act} from '../actions.js';
import {may} from '../api.js';
import {dateTime, t, words} from '../i18n.js';
import {hrefWith} from '../router.js';
import {messageOfAlert, whatOf} from '../told.js';
import {Age, Dialog, Severity, subjectHref, toast} from '../ui.js';
import {html, useState} from '../html.js';

export const isOpen = (a) => a.state === 'firing' || a.state === 'pending' || a.state === 'suppressed';

/* Whose turn it is: nobody's yet, somebody's, or it is shelved. */
export function Handling({alert: a}) {
	if (a.state !== 'resolved' && a.shelved_until && new Date(a.shelved_until) > Date.now())
		return html`<span class="tag" title=${a.shelve_reason}>${t('alert.shelved', {until: dateTime(a.shelved_until), by: a.shelved_by})}</span>`;
	return html`${a.acknowledged_by && html`<span class="tag" title=${a.acknowledge_note}>✓ ${a.acknowledged_by}</span>`}
		${a.assigned_to && html`<span class="tag">→ ${a.assigned_to}</span>`}
		${a.resolved_by && html`<span class="tag">${t('alert.resolved_by', {by: a.resolved_by})}</span>`}`;
}

/* The newest change first. own: all are of the place on view, so the rule is named instead. */
export function AlertLines({alerts, empty, own = false}) {
	if (alerts.length === 0) return html`<p class="muted">${empty ?? t('alerts.none')}</p>`;
	return html`<ul class="list">${alerts.map((a) => html`<li key=${a.id}>${isOpen(a) ? html`<${Severity} of=${a.severity} />` :
			html`<span class="muted">${t('alert.state.resolved')}</span>`}
		<span><a class="what" href="#/alerts?id=${a.id}">${own ? words('rule', a.rule) : a.subject}</a> <${Handling} alert=${a} />
			<span class="why">${whatOf(a)}</span></span>
		<${Age} of=${a.ts} calm=${true} /></li>`)}</ul>`;
}

const QUESTIONS = {
	acknowledge: {fields: ['note']},
	resolve: {fields: ['note'], danger: true},
	shelve: {fields: ['hours', 'reason']},
	assign: {fields: ['assignee']},
};

function Field({name}) {
	if (name === 'hours')
		return html`<label>${t('alert.hours')}<select name="hours">${[1, 4, 8, 24, 72, 168].map((h) =>
			html`<option value=${h}>${t('days.hours', {n: h})}</option>`)}</select></label>`;
	return html`<label>${t(`alert.${name}`)}<input name=${name} maxlength="500" required=${name !== 'note'} /></label>`;
}

function bodyOf({hours, ...rest}) {
	const body = Object.fromEntries(Object.entries(rest).filter(([, v]) => v));
	return hours ? {...body, until: new Date(Date.now() + hours * 3600e3).toISOString()} : body;
}

/* Buttons that ask and then do; onDone gets the changed alert (null: kept for later). */
export function AlertActions({alert: a, who, onDone}) {
	const [asking, setAsking] = useState(null);
	if (!may(who, 'engineer') || a.state === 'resolved') return null;
	const does = Object.keys(QUESTIONS).filter((k) => k !== 'acknowledge' || !a.acknowledged_by);
	const q = QUESTIONS[asking];
	return html`<div class="group">${does.map((k) => html`<button key=${k} onClick=${() => setAsking(k)}>${t(`alert.${k}`)}</button>`)}
		${q && html`<${Dialog} title=${t(`alert.${asking}`)} done=${t(`alert.${asking}`)} danger=${q.danger}
			onClose=${() => setAsking(null)} onDone=${async (v) => {
				const changed = await act('POST', `/alerts/${a.id}/${asking}`, bodyOf(v));
				if (changed) toast(t('alert.done'));
				onDone?.(changed);
			}}>
			<p>${messageOfAlert(a)}</p>${q.fields.map((f) => html`<${Field} key=${f} name=${f} />`)}<//>`}</div>`;
}

/* Beside the detail there is less room. */
const briefColumns = () => [
	{name: 'severity', label: t('severity'), cell: (a) => html`<${Severity} of=${a.severity} />`},
	{name: 'message', label: t('alert.message'), cell: (a) => html`<a class="what" href=${hrefWith({id: a.id})}>${a.subject}</a>
		<${Handling} alert=${a} /><span class="why">${whatOf(a)}</span>`},
	{name: 'since', label: t('alert.since'), cell: (a) => html`<${Age} of=${a.since ?? a.ts} calm=${true} />`},
];

export const alertColumns = (brief = false) => brief ? briefColumns() : [
	{name: 'severity', label: t('severity'), cell: (a) => html`<${Severity} of=${a.severity} />`},
	{name: 'subject', label: t('alert.subject'), code: true, cell: (a) => html`<a href=${subjectHref(a.subject)}>${a.subject}</a>`},
	{name: 'message', label: t('alert.message'), cell: (a) => html`<a href=${hrefWith({id: a.id})}>${whatOf(a)}</a>`},
	{name: 'rule', label: t('alert.type'), small: true, cell: (a) => words('rule', a.rule)},
	{name: 'state', label: t('alert.state'), cell: (a) => html`<span class="whole">${t(`alert.state.${a.state}`)}</span> <${Handling} alert=${a} />`},
	{name: 'since', label: t('alert.since'), cell: (a) => html`<${Age} of=${a.since ?? a.ts} calm=${true} />`},
];
