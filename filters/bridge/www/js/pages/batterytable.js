/* Batteries as a table that is filtered, searched and sorted by the server. */
import {days, number, t, withUnit} from '../i18n.js';
import {useLoad} from '../load.js';
import {setQuery} from '../router.js';
import {Age, batteryHref, Choice, Loaded, Pager, reasonsOf, Status, Table} from '../ui.js';
import {html, useEffect, useRef, useState} from '../html.js';

const LIMIT = 50, TYPING_MS = 300;
/* The server begins with what is worst: hottest, but least of all else. */
const DOWNWARD = ['temperature'];
const FILTERS = ['', 'healthy', 'watch', 'warning', 'critical', 'alerts'];

export const queryOf = ({status, search, sort}, skip) => ({
	status: status === 'alerts' ? undefined : status, has_alerts: status === 'alerts' ? true : undefined,
	search, sort: sort || 'id', skip, limit: LIMIT});

function columns(site) {
	const short = (id) => site && id.startsWith(`${site}-`) ? id.slice(site.length + 1) : id;
	return [
		{name: 'id', label: t('battery'), sort: true, code: true, cell: (b) => html`<a href=${batteryHref(b.id)} title=${b.id}>${short(b.id)}</a>`},
		{name: 'status', label: t('status'), cell: (b) => html`<${Status} of=${b.status ?? 'unknown'} title=${reasonsOf(b.reasons).join(', ')} />`},
		{name: 'voltage', label: t('voltage'), number: true, small: true, cell: (b) => withUnit(b.voltage_v, 2, 'V')},
		{name: 'temperature', label: t('temperature'), number: true, sort: true, cell: (b) => withUnit(b.temperature_c, 1, '°C')},
		{name: 'soh', label: t('soh'), number: true, sort: true, cell: (b) => html`${withUnit(b.soh_pct, 1, '%')}
			${b.soh_std_pct !== null && html`<span class="small muted hide-small"> ±${number(b.soh_std_pct, 1)}</span>`}`},
		{name: 'rul', label: t('rul'), number: true, sort: true, cell: (b) => html`<span title=${`${days(b.rul_lower_days)} – ${days(b.rul_upper_days)}`}>${days(b.rul_days)}</span>`},
		{name: 'autonomy', label: t('autonomy'), number: true, sort: true, small: true, cell: (b) => withUnit(b.autonomy_min, 0, t('minutes'))},
		{name: 'sampled', label: t('age'), small: true, cell: (b) => html`<${Age} of=${b.sampled} brief=${true} />`},
	];
}

function Search({value, onChange}) {
	const [text, setText] = useState(value), timer = useRef(null);
	useEffect(() => () => clearTimeout(timer.current), []);
	const type = (v) => {
		setText(v);
		clearTimeout(timer.current);
		timer.current = setTimeout(() => onChange(v), TYPING_MS);
	};
	return html`<label>${t('search')}<input type="search" value=${text} onInput=${(e) => type(e.target.value)} /></label>`;
}

/* site: the codes are told without it. live: the newest samples by battery, which go before what was asked for. */
export function BatteryTable({path, site, query, live = {}, reloads}) {
	const [skip, setSkip] = useState(0);
	const set = (change) => {
		setSkip(0);
		setQuery(change);
	};
	const load = useLoad(path, queryOf(query, skip));
	useEffect(() => { if (reloads) load.reload(); }, [reloads]);
	const sort = {name: query.sort || 'id', down: DOWNWARD.includes(query.sort)};
	const rows = (load.data?.items ?? []).map((b) => live[b.id] ? {...b, ...live[b.id]} : b);
	return html`<div class="tools"><${Search} value=${query.search ?? ''} onChange=${(search) => set({search})} />
			<${Choice} label=${t('filter')} value=${query.status ?? ''} onChange=${(status) => set({status})}
				options=${FILTERS.map((f) => [f, f === 'alerts' ? t('filter.alerts') : f ? t(`status.${f}`) : t('filter.all')])} /></div>
		<${Loaded} of=${load} empty=${t('nothing')}>${(d) => html`<${Table} caption=${t('batteries')} columns=${columns(site)}
				rows=${rows} keyOf=${(b) => b.id} sort=${sort} onSort=${(by) => set({sort: by.name})} />
			<${Pager} skip=${skip} limit=${LIMIT} total=${d.total} onSkip=${setSkip} />`}<//>`;
}
